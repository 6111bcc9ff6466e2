#include "convert/text/trie_builder.h"

#include <algorithm>
#include <deque>

#include "convert/checkpoint.h"

namespace linnet::convert {

namespace {

constexpr size_t kBlock = 256;     // labels of one node stay within one block
constexpr size_t kAttempts = 128;  // free places that are tried before a new block is opened

// The keys [begin, end) have `depth` bytes in common and belong to the node at `unit`.
struct Node {
  size_t begin, end, depth;
  uint32_t unit;
};

class Builder {
 public:
  explicit Builder(std::vector<TrieKey> keys) : keys_(std::move(keys)) {
    std::sort(keys_.begin(), keys_.end(), [](const TrieKey& a, const TrieKey& b) { return a.key < b.key; });
  }

  std::vector<uint32_t> build() {
    if (keys_.empty()) return {};
    open_block();
    used_[0] = true;
    std::deque<Node> nodes = {{0, keys_.size(), 0, 0}};
    for (; !nodes.empty(); nodes.pop_front()) place_children(nodes.front(), &nodes);
    return std::move(units_);
  }

 private:
  void open_block() {
    units_.resize(units_.size() + kBlock, 0);
    used_.resize(units_.size(), false);
    is_base_.resize(units_.size(), false);
  }

  bool fits(uint32_t base, uint32_t unit, const std::vector<uint8_t>& labels) const {
    const uint32_t relative = unit ^ base;
    if (is_base_[base] || (relative >= 1u << 21 && (relative & 0xFF) != 0)) return false;
    return std::none_of(labels.begin(), labels.end(), [&](uint8_t label) { return used_[base ^ label]; });
  }

  uint32_t find_base(uint32_t unit, const std::vector<uint8_t>& labels) {
    while (first_free_ < used_.size() && used_[first_free_]) ++first_free_;
    size_t attempts = 0;
    for (size_t place = first_free_; place < used_.size() && attempts < kAttempts; ++place) {
      if (used_[place]) continue;
      ++attempts;
      if (const auto base = static_cast<uint32_t>(place ^ labels[0]); fits(base, unit, labels)) return base;
    }
    if (attempts == kAttempts) first_free_ += kBlock / 8;  // places too crowded for anything are given up
    const size_t block = units_.size();
    if (block >= size_t{1} << 29) throw Error("the vocabulary is too large for a search tree");
    open_block();
    return static_cast<uint32_t>(block | (unit & 0xFF));
  }

  void place_children(const Node& node, std::deque<Node>* nodes) {
    std::vector<uint8_t> labels;
    std::vector<size_t> begins;
    for (size_t i = node.begin; i < node.end; ++i) {
      const std::string& key = keys_[i].key;
      const uint8_t label = key.size() == node.depth ? 0 : static_cast<uint8_t>(key[node.depth]);
      if (labels.empty() || labels.back() != label) labels.push_back(label), begins.push_back(i);
    }
    begins.push_back(node.end);
    const uint32_t base = find_base(node.unit, labels), relative = node.unit ^ base;
    is_base_[base] = true;
    units_[node.unit] |= relative < 1u << 21 ? relative << 10 : relative << 2 | 1u << 9;
    for (size_t i = 0; i < labels.size(); ++i) {
      const uint32_t unit = base ^ labels[i];
      used_[unit] = true;
      if (labels[i] == 0) {
        units_[node.unit] |= 1u << 8;
        units_[unit] = keys_[begins[i]].value | 1u << 31;
      } else {
        units_[unit] = labels[i];
        nodes->push_back({begins[i], begins[i + 1], node.depth + 1, unit});
      }
    }
  }

  std::vector<TrieKey> keys_;
  std::vector<uint32_t> units_;
  std::vector<bool> used_, is_base_;
  size_t first_free_ = 0;
};

}  // namespace

std::vector<uint32_t> build_trie(std::vector<TrieKey> keys) { return Builder(std::move(keys)).build(); }

}  // namespace linnet::convert
