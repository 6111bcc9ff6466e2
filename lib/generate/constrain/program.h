// A compiled grammar: a network of nodes over bytes in which a rule is entered by a call and left by a return. Every node knows the least
// that is still needed to leave its rule, and which way that is.
#pragma once

#include <string_view>

#include "generate/constrain/grammar.h"
#include "generate/constrain/token_trie.h"

namespace linnet::constrain {

enum class NodeKind : uint8_t {
  dead,   // leads nowhere
  leave,  // the end of a rule, or of a repetition's body
  bytes,  // one byte of low..high, then next
  split,  // next or other
  call,   // the rule that begins at other, then next
  count,  // repetitions[other], then next
};

struct Node {
  NodeKind kind;
  uint8_t low, high;
  uint32_t next, other;
};

/// A body repeated so often that it is counted while running instead of being written out.
struct Repetition {
  uint32_t body, min, max;
  bool local;     // the body calls nothing: it is looked at together with its count
  bool may_skip;  // the body can be empty: then min is 0, and empty bodies are not counted
};

// What spelling costs: bytes of the shortest text. A byte that no token spells by itself counts as so many that nobody takes the sum for
// a number of tokens.
constexpr uint32_t kNoEnd = UINT32_MAX;
constexpr uint32_t kUnspelled = 1u << 20;
constexpr uint32_t add_costs(uint32_t a, uint32_t b) noexcept { return a > kNoEnd - b ? kNoEnd : a + b; }

uint32_t repeated_cost(uint32_t cost, uint32_t times) noexcept;

struct Program {
  core::Array<Node> nodes;
  core::Array<Repetition> repetitions;
  core::Array<uint32_t> costs;    // per node: to the end of its rule; kNoEnd where there is none
  core::Array<uint32_t> heights;  // per node: rules within rules on that way
  core::Array<uint8_t> spelling;  // per node of bytes: the byte that the shortest text has
  uint32_t start = 0;

  bool ends(uint32_t node) const noexcept { return costs[node] != kNoEnd; }
};

constexpr uint32_t kDead = 0, kLeave = 1;

/// Errors: invalid_argument with the rule's name (not defined, left-recursive, without an end), or the limit that is exceeded.
Result<Program> compile(const Grammar& grammar, const TokenTrie& trie) noexcept;

// Parts of compile.
/// What can be reached without a byte, and by whom nodes are used.
struct Uses {
  core::Array<uint32_t> begins, users;  // of node i: users[begins[i]..begins[i + 1])
  Status create(const Program& program) noexcept;
};
/// Names the rule that can call itself without a byte in between. `empty[n]`: the end of the rule is reached from n without a byte.
Status refuse_left_recursion(const Grammar& grammar, const Program& program, const core::Array<uint32_t>& starts,
                             const core::Array<uint8_t>& empty) noexcept;
Status find_empty(const Program& program, const Uses& uses, core::Array<uint8_t>* empty) noexcept;
Status find_costs(const Uses& uses, const TokenTrie& trie, Program* program) noexcept;

}  // namespace linnet::constrain
