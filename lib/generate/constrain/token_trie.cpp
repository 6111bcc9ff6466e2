#include "generate/constrain/token_trie.h"

#include <algorithm>

#include "core/limits.h"
#include "generate/constrain/token_bytes.h"

namespace linnet::constrain {

Status TokenTrie::create(const Tokenizer& tokenizer, std::span<const int32_t> eos, size_t model_vocabulary) noexcept {
  LINNET_TRY(check_decoder(tokenizer.impl()));
  vocabulary_ = tokenizer.vocabulary();
  if (model_vocabulary != 0) vocabulary_ = std::min(vocabulary_, model_vocabulary);
  for (int32_t id : eos) {
    if (id < 0 || static_cast<uint32_t>(id) >= core::limits::kVocabulary ||
        (model_vocabulary != 0 && static_cast<size_t>(id) >= model_vocabulary))
      return Status::error(Code::invalid_argument, "the end-of-text id %d is no token", id);
    vocabulary_ = std::max(vocabulary_, static_cast<size_t>(id) + 1);
    LINNET_TRY(eos_.push(id));
  }
  LINNET_TRY(collect(tokenizer));
  return build();
}

bool TokenTrie::is_eos(int32_t id) const noexcept { return std::find(eos_.begin(), eos_.end(), id) != eos_.end(); }

std::string_view TokenTrie::bytes(int32_t id) const noexcept {
  if (id < 0 || static_cast<size_t>(id) >= vocabulary_) return {};
  return {bytes_.data() + begins_[static_cast<size_t>(id)], begins_[static_cast<size_t>(id) + 1] - begins_[static_cast<size_t>(id)]};
}

Status TokenTrie::collect(const Tokenizer& tokenizer) noexcept {
  text::Bytes bytes;
  LINNET_TRY(begins_.reserve(vocabulary_ + 1));
  for (size_t i = 0; i < vocabulary_; ++i) {
    const auto id = static_cast<int32_t>(i);
    LINNET_TRY(begins_.push(static_cast<uint32_t>(bytes_.size())));
    if (is_eos(id) || i >= tokenizer.vocabulary()) continue;
    LINNET_TRY(token_bytes(tokenizer.impl(), id, &bytes));
    if (bytes.size() == 0 || bytes.size() > core::limits::kConstraintToken) continue;
    LINNET_TRY(ids_.push(id));
    for (char byte : bytes.view()) LINNET_TRY(bytes_.push(byte));
    longest_ = std::max(longest_, static_cast<uint32_t>(bytes.size()));
  }
  return begins_.push(static_cast<uint32_t>(bytes_.size()));
}

Status TokenTrie::build() noexcept {
  std::sort(ids_.begin(), ids_.end(), [this](int32_t a, int32_t b) {
    const int order = bytes(a).compare(bytes(b));
    return order != 0 ? order < 0 : a < b;
  });
  std::fill(roots_, roots_ + 256, kNone);
  core::Array<uint32_t> path;  // the nodes of the token before
  std::string_view before;
  const auto leave = [&](size_t depth) {
    for (; path.size() > depth; path.pop()) nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
  };
  for (size_t i = 0; i < ids_.size(); ++i) {
    const std::string_view token = bytes(ids_[i]);
    size_t common = 0;
    while (common < std::min(token.size(), before.size()) && token[common] == before[common]) ++common;
    leave(common);
    for (size_t depth = common; depth < token.size(); ++depth) {
      const auto byte = static_cast<uint8_t>(token[depth]);
      const auto index = static_cast<uint32_t>(nodes_.size());
      if (depth == 0) roots_[byte] = index;
      LINNET_TRY(path.push(index));
      LINNET_TRY(nodes_.push({0, static_cast<uint32_t>(i), static_cast<uint16_t>(depth + 1), byte}));
    }
    before = token;
  }
  leave(0);
  return nodes_.push({0, static_cast<uint32_t>(ids_.size()), 0, 0});
}

uint32_t TokenTrie::child(uint32_t index, uint8_t byte) const noexcept {
  const uint32_t end = nodes_[index].end;
  for (uint32_t i = index + 1; i < end; i = nodes_[i].end)
    if (nodes_[i].byte == byte) return i;
  return kNone;
}

uint32_t TokenTrie::fewest_tokens(std::string_view text, size_t at, const uint32_t* costs) const noexcept {
  uint32_t fewest = kNone;
  const size_t end = std::min(text.size(), at + kLongestSpelled);
  uint32_t node = root(static_cast<uint8_t>(text[at]));
  for (size_t i = at; node != kNone; node = child(node, static_cast<uint8_t>(text[i]))) {
    ++i;
    if (has_token(node) && costs[i] != kNone) fewest = std::min(fewest, costs[i] + 1);
    if (i == end) break;
  }
  return fewest;
}

}  // namespace linnet::constrain
