// What is known of a program's nodes before it runs: who uses them, which ends are reached without a byte, and the shortest way out.
#include <algorithm>

#include "core/try.h"
#include "generate/constrain/program.h"

namespace linnet::constrain {
namespace {

// The nodes whose values a node's own depends on.
uint32_t needed(const Program& program, uint32_t index, uint32_t* out) {
  const Node& node = program.nodes[index];
  switch (node.kind) {
    case NodeKind::bytes:
      out[0] = node.next;
      return 1;
    case NodeKind::split:
    case NodeKind::call:
      out[0] = node.next;
      out[1] = node.other;
      return 2;
    case NodeKind::count:
      out[0] = node.next;
      out[1] = program.repetitions[node.other].body;
      return 2;
    default:
      return 0;
  }
}

bool is_empty(const Program& program, const core::Array<uint8_t>& empty, uint32_t index) {
  const Node& node = program.nodes[index];
  switch (node.kind) {
    case NodeKind::leave:
      return true;
    case NodeKind::split:
      return empty[node.next] || empty[node.other];
    case NodeKind::call:
      return empty[node.next] && empty[node.other];
    case NodeKind::count: {
      const Repetition& repetition = program.repetitions[node.other];
      return empty[node.next] && (repetition.min == 0 || empty[repetition.body]);
    }
    default:
      return false;
  }
}

// The shortest ends, smallest first (Knuth, "A generalization of Dijkstra's algorithm"): a node's way is settled after all that it leads
// over, so that following the ways always comes to an end.
class Shortest {
 public:
  Shortest(const TokenTrie& trie, Program* program) noexcept : trie_(trie), program_(*program) {}

  Status run(const Uses& uses) noexcept {
    LINNET_TRY(prepare());
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), later);
      const Entry entry = queue_.back();
      queue_.pop();
      if (settled_[entry.node]) continue;
      settled_[entry.node] = 1;
      program_.costs[entry.node] = entry.cost;
      settle(entry.node);
      for (uint32_t i = uses.begins[entry.node]; i < uses.begins[entry.node + 1]; ++i) LINNET_TRY(offer(uses.users[i]));
    }
    return {};
  }

 private:
  struct Entry {
    uint32_t cost, node;
  };
  static bool later(const Entry& a, const Entry& b) noexcept { return a.cost > b.cost || (a.cost == b.cost && a.node > b.node); }

  Status prepare() noexcept {
    const size_t count = program_.nodes.size();
    LINNET_TRY(program_.costs.resize(count));
    LINNET_TRY(program_.heights.resize(count));
    LINNET_TRY(program_.spelling.resize(count));
    LINNET_TRY(settled_.resize(count));
    std::fill(program_.costs.begin(), program_.costs.end(), kNoEnd);
    for (size_t i = 0; i < count; ++i) choose_byte(i);
    return offer(kLeave);
  }

  void choose_byte(size_t index) noexcept {
    const Node& node = program_.nodes[index];
    program_.spelling[index] = node.low;
    for (uint32_t byte = node.high + 1u; byte-- > node.low;)
      if (trie_.spells(static_cast<uint8_t>(byte))) program_.spelling[index] = static_cast<uint8_t>(byte);
  }

  Status offer(uint32_t index) noexcept {
    const uint32_t cost = settled_[index] ? kNoEnd : cost_of(index);
    if (cost == kNoEnd) return {};
    LINNET_TRY(queue_.push({cost, index}));
    std::push_heap(queue_.begin(), queue_.end(), later);
    return {};
  }

  uint32_t cost_of(uint32_t index) const noexcept {
    const core::Array<uint32_t>& costs = program_.costs;
    const Node& node = program_.nodes[index];
    switch (node.kind) {
      case NodeKind::leave:
        return 0;
      case NodeKind::bytes:
        return add_costs(trie_.spells(program_.spelling[index]) ? 1 : kUnspelled, costs[node.next]);
      case NodeKind::split:
        return std::min(costs[node.next], costs[node.other]);
      case NodeKind::call:
        return add_costs(costs[node.other], costs[node.next]);
      case NodeKind::count: {
        const Repetition& repetition = program_.repetitions[node.other];
        return add_costs(repeated_cost(costs[repetition.body], repetition.min), costs[node.next]);
      }
      default:
        return kNoEnd;
    }
  }

  void settle(uint32_t index) noexcept {
    core::Array<uint32_t>& heights = program_.heights;
    Node& node = program_.nodes[index];
    switch (node.kind) {
      case NodeKind::bytes:
        heights[index] = heights[node.next];
        break;
      case NodeKind::split:  // the way out comes first
        if (!settled_[node.next] || program_.costs[node.next] > program_.costs[node.other]) std::swap(node.next, node.other);
        heights[index] = heights[node.next];
        break;
      case NodeKind::call:
        heights[index] = std::max(heights[node.other] + 1, heights[node.next]);
        break;
      case NodeKind::count: {
        const Repetition& repetition = program_.repetitions[node.other];
        heights[index] = repetition.min == 0 ? heights[node.next] : std::max(heights[repetition.body] + 1, heights[node.next]);
        break;
      }
      default:
        break;
    }
  }

  const TokenTrie& trie_;
  Program& program_;
  core::Array<uint8_t> settled_;
  core::Array<Entry> queue_;
};

// Strongly connected parts of what is reached without a byte (Tarjan), without recursion.
class Cycles {
 public:
  Cycles(const Program& program, const core::Array<uint8_t>& empty) noexcept : program_(program), empty_(empty) {}

  /// A call whose rule comes back to the call; kNone when there is none.
  Result<uint32_t> find() noexcept {
    const size_t count = program_.nodes.size();
    LINNET_TRY(order_.resize(count));
    LINNET_TRY(low_.resize(count));
    LINNET_TRY(part_.resize(count));
    for (uint32_t i = 0; i < count; ++i)
      if (order_[i] == 0) LINNET_TRY(visit(i));
    for (uint32_t i = 0; i < count; ++i) {
      const Node& node = program_.nodes[i];
      if (node.kind == NodeKind::call && part_[i] == part_[node.other]) return i;
      if (node.kind == NodeKind::count && part_[i] == part_[program_.repetitions[node.other].body]) return i;
    }
    return kNone;
  }

 private:
  struct Step {
    uint32_t node, edge;
  };

  // What follows a node without a byte.
  uint32_t edges(uint32_t index, uint32_t* out) const noexcept {
    const Node& node = program_.nodes[index];
    if (node.kind == NodeKind::split) return needed(program_, index, out);
    if (node.kind != NodeKind::call && node.kind != NodeKind::count) return 0;
    const bool counts = node.kind == NodeKind::count;
    const uint32_t body = counts ? program_.repetitions[node.other].body : node.other;
    out[0] = body;
    out[1] = node.next;
    return empty_[body] || (counts && program_.repetitions[node.other].min == 0) ? 2 : 1;
  }

  Status visit(uint32_t start) noexcept {
    LINNET_TRY(enter(start));
    while (!path_.empty()) {
      Step& step = path_.back();
      uint32_t next[2];
      const uint32_t count = edges(step.node, next);
      if (step.edge < count) {
        const uint32_t to = next[step.edge++], from = step.node;
        if (order_[to] == 0)
          LINNET_TRY(enter(to));
        else if (part_[to] == 0)
          low_[from] = std::min(low_[from], order_[to]);
        continue;
      }
      const uint32_t node = step.node;
      path_.pop();
      if (!path_.empty()) low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
      if (low_[node] != order_[node]) continue;
      ++parts_;
      for (uint32_t member = kNone; member != node; open_.pop()) {
        member = open_.back();
        part_[member] = parts_;
      }
    }
    return {};
  }

  Status enter(uint32_t node) noexcept {
    order_[node] = low_[node] = ++count_;
    LINNET_TRY(open_.push(node));
    return path_.push({node, 0});
  }

  const Program& program_;
  const core::Array<uint8_t>& empty_;
  core::Array<uint32_t> order_, low_, part_, open_;
  core::Array<Step> path_;
  uint32_t count_ = 0, parts_ = 0;
};

}  // namespace

Status Uses::create(const Program& program) noexcept {
  const auto count = static_cast<uint32_t>(program.nodes.size());
  LINNET_TRY(begins.resize(count + 2));
  uint32_t used[2];
  for (uint32_t i = 0; i < count; ++i)
    for (uint32_t n = needed(program, i, used); n-- > 0;) ++begins[used[n] + 2];
  for (uint32_t i = 2; i < count + 2; ++i) begins[i] += begins[i - 1];
  LINNET_TRY(users.resize(begins[count + 1]));
  for (uint32_t i = 0; i < count; ++i)
    for (uint32_t n = needed(program, i, used); n-- > 0;) users[begins[used[n] + 1]++] = i;
  return {};
}

Status find_empty(const Program& program, const Uses& uses, core::Array<uint8_t>* empty) noexcept {
  LINNET_TRY(empty->resize(program.nodes.size()));
  core::Array<uint32_t> changed;
  (*empty)[kLeave] = 1;
  LINNET_TRY(changed.push(kLeave));
  while (!changed.empty()) {
    const uint32_t node = changed.back();
    changed.pop();
    for (uint32_t i = uses.begins[node]; i < uses.begins[node + 1]; ++i) {
      const uint32_t user = uses.users[i];
      if ((*empty)[user] || !is_empty(program, *empty, user)) continue;
      (*empty)[user] = 1;
      LINNET_TRY(changed.push(user));
    }
  }
  return {};
}

Status refuse_left_recursion(const Grammar& grammar, const Program& program, const core::Array<uint32_t>& starts,
                             const core::Array<uint8_t>& empty) noexcept {
  Cycles cycles(program, empty);
  LINNET_ASSIGN(const uint32_t call, cycles.find());
  if (call == kNone) return {};
  const uint32_t start = program.nodes[call].kind == NodeKind::call ? program.nodes[call].other : kNone;
  for (uint32_t rule = 0; rule < starts.size(); ++rule)
    if (starts[rule] == start)
      return Status::error(Code::invalid_argument, "rule '%.*s' is left-recursive: it can begin with itself",
                           static_cast<int>(grammar.name(rule).size()), grammar.name(rule).data());
  return Status::error(Code::invalid_argument, "a repetition is left-recursive: it can begin with itself");
}

uint32_t repeated_cost(uint32_t cost, uint32_t times) noexcept {
  if (times == 0) return 0;
  return cost > kNoEnd / times ? kNoEnd : cost * times;
}

Status find_costs(const Uses& uses, const TokenTrie& trie, Program* program) noexcept {
  Shortest shortest(trie, program);
  return shortest.run(uses);
}

}  // namespace linnet::constrain
