#include "generate/stop_strings.h"

#include <algorithm>

#include "text/unicode.h"

namespace linnet::generation {
namespace {

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const text::Point point = text::decode(text, at);
    if (!point.valid) return false;
    at += point.length;
  }
  return true;
}

}  // namespace

Status StopStrings::set(std::span<const std::string_view> strings) noexcept {
  LINNET_TRY(fallback_.resize(strings.size()));
  strings_ = strings;
  for (size_t i = 0; i < strings.size(); ++i) {
    const std::string_view string = strings[i];
    if (string.empty()) return Status::error(Code::invalid_argument, "stop string %zu is empty", i);
    if (!is_utf8(string)) return Status::error(Code::invalid_argument, "stop string %zu is not UTF-8", i);
    if (string.size() > UINT32_MAX) return Status::error(Code::invalid_argument, "stop string %zu has %zu bytes", i, string.size());
    core::Array<uint32_t>& fallback = fallback_[i];
    LINNET_TRY(fallback.resize(string.size()));
    for (uint32_t at = 1, matched = 0; at < string.size(); ++at) {
      matched = next(i, matched, string[at]);
      fallback[at] = matched;
    }
  }
  return {};
}

uint32_t StopStrings::next(size_t i, uint32_t matched, char byte) const noexcept {
  const std::string_view string = strings_[i];
  while (matched > 0 && string[matched] != byte) matched = fallback_[i][matched - 1];
  return string[matched] == byte ? matched + 1 : 0;
}

Status StopMatcher::start(const StopStrings& strings) noexcept {
  strings_ = &strings;
  matched_.clear();
  LINNET_TRY(places_.resize(strings.count()));
  return matched_.resize(strings.count());
}

std::string_view StopMatcher::held() const noexcept {
  size_t furthest = 0;
  for (size_t i = 1; i < matched_.size(); ++i)
    if (matched_[i] > matched_[furthest]) furthest = i;
  return matched_.empty() ? std::string_view() : (*strings_)[furthest].substr(0, matched_[furthest]);
}

// The first `bytes` of what is held back and `piece` together.
Status StopMatcher::let_out(std::string_view piece, size_t bytes, Text* out) noexcept {
  const std::string_view before = held().substr(0, bytes);
  LINNET_TRY(out->append(before.data(), before.size()));
  return out->append(piece.data(), bytes - before.size());
}

Status StopMatcher::put(std::string_view piece, bool include, Text* out, bool* found) noexcept {
  const size_t before = held().size();
  core::Array<uint32_t>& places = places_;
  std::copy(matched_.begin(), matched_.end(), places.begin());
  for (size_t at = 0; at < piece.size(); ++at) {
    size_t longest = 0;
    for (size_t i = 0; i < places.size(); ++i) {
      places[i] = strings_->next(i, places[i], piece[at]);
      if (places[i] == (*strings_)[i].size()) longest = std::max(longest, (*strings_)[i].size());
    }
    if (longest == 0) continue;
    *found = true;
    LINNET_TRY(let_out(piece, before + at + 1 - (include ? 0 : longest), out));
    std::fill(matched_.begin(), matched_.end(), 0u);
    return {};
  }
  const uint32_t kept = places.empty() ? 0 : *std::max_element(places.begin(), places.end());
  LINNET_TRY(let_out(piece, before + piece.size() - kept, out));
  matched_.swap(places);
  return {};
}

Status StopMatcher::finish(Text* out) noexcept {
  LINNET_TRY(out->append(held().data(), held().size()));
  std::fill(matched_.begin(), matched_.end(), 0u);
  return {};
}

}  // namespace linnet::generation
