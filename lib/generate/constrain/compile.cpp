// From expressions to nodes, written from the end: every expression is compiled with the node that follows it.
#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/program.h"
#include "generate/constrain/utf8_ranges.h"

namespace linnet::constrain {
namespace {

constexpr uint32_t kInlined = 96;  // nodes of a rule that is copied to its uses, and of a repetition that is written out
constexpr int kInlineRounds = 6;   // rules within rules that are

class Compiler {
 public:
  Compiler(const Grammar& grammar, Program* program) noexcept : grammar_(grammar), program_(*program) {}

  Status run() noexcept {
    LINNET_TRY(node(NodeKind::dead, 0, 0));
    LINNET_TRY(node(NodeKind::leave, 0, 0));
    LINNET_TRY(check_rules());
    LINNET_TRY(find_inlined());
    LINNET_TRY(starts_.resize(grammar_.rules()));
    // A rule's first node is known before its body: calls may come first.
    for (uint32_t& start : starts_) {
      LINNET_TRY(node(NodeKind::split, kDead, kDead));
      start = last();
    }
    for (uint32_t rule = 0; rule < grammar_.rules(); ++rule) {
      LINNET_ASSIGN(const uint32_t entry, emit(grammar_.rule(rule).body, kLeave));
      program_.nodes[starts_[rule]].next = entry;
    }
    program_.start = starts_[grammar_.root()];
    return {};
  }
  const core::Array<uint32_t>& starts() const noexcept { return starts_; }

 private:
  uint32_t last() const noexcept { return static_cast<uint32_t>(program_.nodes.size() - 1); }

  Status node(NodeKind kind, uint32_t next, uint32_t other, uint8_t low = 0, uint8_t high = 0) noexcept {
    if (program_.nodes.size() >= core::limits::kProgramNodes)
      return Status::error(Code::invalid_argument, "the grammar is too large: it compiles to more than %u nodes",
                           core::limits::kProgramNodes);
    return program_.nodes.push({kind, low, high, next, other});
  }

  Status check_rules() const noexcept {
    for (uint32_t rule = 0; rule < grammar_.rules(); ++rule)
      if (grammar_.rule(rule).body == UINT32_MAX)
        return Status::error(Code::invalid_argument, "rule '%.*s' is used but not defined", static_cast<int>(grammar_.name(rule).size()),
                             grammar_.name(rule).data());
    return {};
  }

  // Nodes of an expression with no unbounded part, at most kInlined; 0 for others. Looks at no more than so many expressions.
  uint32_t small_size(Expr expr, uint32_t* looks) const noexcept {
    const Expression& node = grammar_.at(expr);
    if (*looks == 0) return 0;
    --*looks;
    uint32_t sum = 1;
    switch (node.kind) {
      case ExpressionKind::empty:
      case ExpressionKind::never:
        return 1;
      case ExpressionKind::literal:
        return node.size <= kInlined ? node.size : 0;
      case ExpressionKind::set:
        return node.size <= 8 ? 4 * node.size : 0;
      case ExpressionKind::rule:
        return inlined_[node.first];
      case ExpressionKind::repeat: {
        const uint32_t child = node.max <= kInlined ? small_size(node.first, looks) : 0;
        return child != 0 && child * node.max <= kInlined ? child * node.max : 0;
      }
      default:
        for (Expr child : grammar_.children(node)) {
          const uint32_t size = small_size(child, looks);
          if (size == 0 || sum + size > kInlined) return 0;
          sum += size;
        }
        return sum;
    }
  }

  // Small bounded rules are written out where they are used: a character of a string is then no call.
  Status find_inlined() noexcept {
    LINNET_TRY(inlined_.resize(grammar_.rules()));
    core::Array<uint32_t> sizes;
    LINNET_TRY(sizes.resize(grammar_.rules()));
    for (int round = 0; round < kInlineRounds; ++round) {
      for (uint32_t rule = 0; rule < grammar_.rules(); ++rule) {
        uint32_t looks = 4 * kInlined;
        if (rule != grammar_.root()) sizes[rule] = small_size(grammar_.rule(rule).body, &looks);
      }
      std::copy(sizes.begin(), sizes.end(), inlined_.begin());
    }
    return {};
  }

  Result<uint32_t> emit(Expr expr, uint32_t next) noexcept {
    const Expression& node = grammar_.at(expr);
    switch (node.kind) {
      case ExpressionKind::empty:
        return next;
      case ExpressionKind::never:
        return kDead;
      case ExpressionKind::literal:
        return emit_bytes(grammar_.text(node), next);
      case ExpressionKind::set:
        return emit_set(grammar_.ranges(node), next);
      case ExpressionKind::sequence: {
        const std::span<const Expr> children = grammar_.children(node);
        for (size_t i = children.size(); i-- > 0;) {
          LINNET_ASSIGN(next, emit(children[i], next));
        }
        return next;
      }
      case ExpressionKind::choice:
        return emit_choice(grammar_.children(node), next);
      case ExpressionKind::repeat:
        return emit_repeat(node, next);
      case ExpressionKind::rule:
        if (inlined_[node.first] != 0) return emit(grammar_.rule(node.first).body, next);
        LINNET_TRY(this->node(NodeKind::call, next, starts_[node.first]));
        return last();
    }
    return kDead;
  }

  Result<uint32_t> emit_bytes(std::string_view bytes, uint32_t next) noexcept {
    for (size_t i = bytes.size(); i-- > 0; next = last()) {
      const auto byte = static_cast<uint8_t>(bytes[i]);
      LINNET_TRY(node(NodeKind::bytes, next, 0, byte, byte));
    }
    return next;
  }

  Result<uint32_t> split(uint32_t a, uint32_t b) noexcept {
    if (a == kDead || a == b) return b;
    if (b == kDead) return a;
    LINNET_TRY(node(NodeKind::split, a, b));
    return last();
  }

  // The byte sequences of a set have ends in common: one of its last nodes that says the same is used again.
  Result<uint32_t> emit_range(uint8_t low, uint8_t high, uint32_t next, size_t first_own) noexcept {
    constexpr size_t kLooks = 64;
    const size_t size = program_.nodes.size();
    for (size_t i = std::max(first_own, size - std::min(size, kLooks)); i < size; ++i) {
      const Node& own = program_.nodes[i];
      if (own.kind == NodeKind::bytes && own.next == next && own.low == low && own.high == high) return static_cast<uint32_t>(i);
    }
    LINNET_TRY(node(NodeKind::bytes, next, 0, low, high));
    return last();
  }

  Result<uint32_t> emit_set(std::span<const CharacterRange> ranges, uint32_t next) noexcept {
    const size_t first_own = program_.nodes.size();
    uint32_t entry = kDead;
    for (const CharacterRange& range : ranges) {
      Utf8Sequences sequences(range.first, range.last);
      for (Utf8Sequence sequence; sequences.next(&sequence);) {
        uint32_t at = next;
        for (size_t i = sequence.length; i-- > 0;) {
          LINNET_ASSIGN(at, emit_range(sequence.low[i], sequence.high[i], at, first_own));
        }
        LINNET_ASSIGN(entry, split(at, entry));
      }
    }
    return entry;
  }

  // Literals go into one tree, so that their number does not become a number of readings.
  Result<uint32_t> emit_choice(std::span<const Expr> children, uint32_t next) noexcept {
    core::Array<std::string_view> literals;
    uint32_t entry = kDead;
    for (Expr child : children) {
      const Expression& node = grammar_.at(child);
      if (node.kind == ExpressionKind::literal) {
        LINNET_TRY(literals.push(grammar_.text(node)));
        continue;
      }
      LINNET_ASSIGN(const uint32_t way, emit(child, next));
      LINNET_ASSIGN(entry, split(entry, way));
    }
    std::sort(literals.begin(), literals.end());
    LINNET_ASSIGN(const uint32_t tree, emit_tree(std::span(literals.data(), literals.size()), next));
    return split(entry, tree);
  }

  // Sorted literals, from the last to the first: `open` is the path of the literal behind, as the ways on from each of its bytes.
  Result<uint32_t> emit_tree(std::span<const std::string_view> literals, uint32_t next) noexcept {
    core::Array<uint32_t> open;  // open[d]: the ways on behind d bytes
    LINNET_TRY(open.push(kDead));
    std::string_view behind;
    const auto close = [&](size_t depth) -> Status {
      for (; open.size() - 1 > depth; open.pop()) {
        const auto byte = static_cast<uint8_t>(behind[open.size() - 2]);
        LINNET_TRY(node(NodeKind::bytes, open.back(), 0, byte, byte));
        LINNET_ASSIGN(open[open.size() - 2], split(last(), open[open.size() - 2]));
      }
      return {};
    };
    for (size_t i = literals.size(); i-- > 0;) {
      const std::string_view literal = literals[i];
      size_t common = 0;
      while (common < std::min(literal.size(), behind.size()) && literal[common] == behind[common]) ++common;
      LINNET_TRY(close(common));
      while (open.size() - 1 < literal.size()) LINNET_TRY(open.push(kDead));
      LINNET_ASSIGN(open.back(), split(next, open.back()));
      behind = literal;
    }
    LINNET_TRY(close(0));
    return open[0];
  }

  Result<uint32_t> emit_repeat(const Expression& node, uint32_t next) noexcept {
    uint32_t looks = 4 * kInlined;
    const uint32_t size = small_size(node.first, &looks);
    const bool bounded = node.max != kUnbounded;
    const uint32_t copies = bounded ? node.max : node.min;
    if (copies > 1 && (size == 0 || copies > kInlined || size * copies > kInlined)) return emit_count(node, next);
    uint32_t written = 0, end = next;
    if (!bounded) {
      LINNET_ASSIGN(end, emit_loop(node.first, node.min > 0, next));
      written = node.min > 0 ? 1 : 0;
    }
    uint32_t entry = end;
    for (; written < copies; ++written) {
      LINNET_ASSIGN(entry, emit(node.first, entry));
      if (bounded && copies - written > node.min) {
        LINNET_ASSIGN(entry, split(entry, end));
      }
    }
    return entry;
  }

  // At the end of a body the same body may begin again.
  Result<uint32_t> emit_loop(Expr body, bool at_least_once, uint32_t next) noexcept {
    LINNET_TRY(node(NodeKind::split, kDead, next));
    const uint32_t loop = last();
    LINNET_ASSIGN(const uint32_t entry, emit(body, loop));
    program_.nodes[loop].next = entry;
    return at_least_once ? entry : loop;
  }

  Result<uint32_t> emit_count(const Expression& node, uint32_t next) noexcept {
    const size_t first_own = program_.nodes.size();
    LINNET_ASSIGN(const uint32_t body, emit(node.first, kLeave));
    bool local = true;
    for (size_t i = first_own; i < program_.nodes.size(); ++i)
      local = local && program_.nodes[i].kind != NodeKind::call && program_.nodes[i].kind != NodeKind::count;
    LINNET_TRY(program_.repetitions.push({body, node.min, node.max, local, false}));
    LINNET_TRY(this->node(NodeKind::count, next, static_cast<uint32_t>(program_.repetitions.size() - 1)));
    return last();
  }

  const Grammar& grammar_;
  Program& program_;
  core::Array<uint32_t> starts_, inlined_;
};

}  // namespace

Result<Program> compile(const Grammar& grammar, const TokenTrie& trie) noexcept {
  Program program;
  Compiler compiler(grammar, &program);
  LINNET_TRY(compiler.run());
  Uses uses;
  core::Array<uint8_t> empty;
  LINNET_TRY(uses.create(program));
  LINNET_TRY(find_empty(program, uses, &empty));
  LINNET_TRY(refuse_left_recursion(grammar, program, compiler.starts(), empty));
  for (Repetition& repetition : program.repetitions)
    if (empty[repetition.body]) {
      repetition.min = 0;
      repetition.may_skip = true;
    }
  LINNET_TRY(find_costs(uses, trie, &program));
  if (!program.ends(program.start))
    return Status::error(Code::invalid_argument, "no text can be written: rule '%.*s' has no end",
                         static_cast<int>(grammar.name(grammar.root()).size()), grammar.name(grammar.root()).data());
  return program;
}

}  // namespace linnet::constrain
