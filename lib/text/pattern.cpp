#include "text/pattern.h"

#include "text/scanners.h"
#include "text/unicode.h"

namespace linnet::text {

Status Pattern::scanner(std::string_view name, Pattern* pattern) noexcept {
  const Scanner found = find_scanner(name);
  if (!found)
    return Status::error(Code::unsupported, "the tokenizer splits at '%.*s', which this build does not have",
                         static_cast<int>(name.size() < 64 ? name.size() : 64), name.data());
  *pattern = Pattern(name, found);
  return {};
}

bool Pattern::find(std::string_view text, size_t from, Span* match) const noexcept {
  if (!scan_) {
    const size_t at = literal_.size() == 1 && from < text.size() ? text.find(literal_[0], from) : text.find(literal_, from);
    if (at == std::string_view::npos || literal_.empty()) return false;
    *match = {static_cast<uint32_t>(at), static_cast<uint32_t>(at + literal_.size())};
    return true;
  }
  for (size_t at = from; at < text.size(); at += decode(text, at).length)
    if (const size_t length = scan_(text, at); length > 0) {
      *match = {static_cast<uint32_t>(at), static_cast<uint32_t>(at + length)};
      return true;
    }
  return false;
}

}  // namespace linnet::text
