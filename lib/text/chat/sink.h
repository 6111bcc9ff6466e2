// Text being rendered, each byte with its origin. What a macro or a filter makes is appended too, and then taken off the end again.
#pragma once

#include "core/limits.h"
#include "text/bytes.h"
#include "text/chat/value.h"

namespace linnet::text::chat {

class Sink {
 public:
  size_t size() const noexcept { return text_.size(); }
  std::string_view text() const noexcept { return text_.view(); }
  std::string_view marks() const noexcept { return marks_.view(); }
  void shorten(size_t size) noexcept {
    text_.shorten(size);
    marks_.shorten(size);
  }

  Status reserve(size_t bytes) noexcept {
    if (bytes > core::limits::kTemplateOutput || size() + bytes > core::limits::kTemplateOutput)
      return Status::error(Code::invalid_argument, "the chat template renders more than %u bytes", core::limits::kTemplateOutput);
    LINNET_TRY(text_.reserve(bytes));
    return marks_.reserve(bytes);
  }
  Status append(std::string_view text, bool data) noexcept {
    LINNET_TRY(reserve(text.size()));
    LINNET_TRY(text_.append(text));
    for (size_t i = 0; i < text.size(); ++i) marks_.put(data);
    return {};
  }
  Status append(const String& string) noexcept {
    if (!string.marks) return append(string.view(), string.data);
    LINNET_TRY(reserve(string.size));
    LINNET_TRY(text_.append(string.view()));
    return marks_.append({reinterpret_cast<const char*>(string.marks), string.size});
  }
  Status append(char32_t code, bool data) noexcept {
    char bytes[4];
    return append(std::string_view(bytes, encode(code, bytes)), data);
  }
  /// Decimal digits, with a sign where negative.
  Status append_number(int64_t number, bool data) noexcept;

 private:
  Bytes text_, marks_;
};

}  // namespace linnet::text::chat
