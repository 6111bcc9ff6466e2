// The expressions that published tokenizers split text with, by name. scanners.cpp has the list; a scanner stands in the file of its
// family.
#pragma once

#include "text/pattern.h"
#include "text/unicode.h"

namespace linnet::text {

/// Null where there is none of this name.
Scanner find_scanner(std::string_view name) noexcept;

/// A place in a text that moves on character by character: what the scanners are written in.
class Cursor {
 public:
  Cursor(std::string_view text, size_t at) noexcept : text_(text), at_(at), start_(at) { look(); }
  bool done() const noexcept { return at_ >= text_.size(); }
  char32_t code() const noexcept { return point_.code; }  // 0 behind the end
  uint16_t found() const noexcept { return classes_; }    // the classes of code(), 0 behind the end
  bool is(uint16_t classes) const noexcept { return (classes_ & classes) != 0; }
  bool is_line_end() const noexcept { return !done() && (point_.code == '\r' || point_.code == '\n'); }
  void next() noexcept {
    at_ += point_.length;
    look();
  }
  size_t at() const noexcept { return at_; }
  size_t length() const noexcept { return at_ - start_; }
  void go(size_t at) noexcept {
    at_ = at;
    look();
  }
  /// Past all characters with one of these classes; how many they were.
  size_t skip(uint16_t classes) noexcept {
    size_t count = 0;
    for (; is(classes); next()) ++count;
    return count;
  }
  size_t skip_line_ends() noexcept {
    size_t count = 0;
    for (; is_line_end(); next()) ++count;
    return count;
  }

 private:
  void look() noexcept {
    if (at_ >= text_.size()) {
      point_ = {0, 0, true};
      classes_ = 0;
      return;
    }
    point_ = decode(text_, at_);
    classes_ = classes(point_.code);
  }

  std::string_view text_;
  size_t at_, start_;
  Point point_{0, 0, true};
  uint16_t classes_ = 0;
};

// Parts that several families share. Each returns the length of its match, 0 for none.

/// 's 't 're 've 'm 'll 'd, where `any_case` in capitals too.
size_t scan_contraction(std::string_view text, size_t at, bool any_case) noexcept;
/// \s+(?!\S)|\s+
size_t scan_spaces(std::string_view text, size_t at) noexcept;
/// \s*[\r\n]+|\s+(?!\S)|\s+
size_t scan_spaces_by_line(std::string_view text, size_t at) noexcept;

// Families: gpt2.. in scan_gpt.cpp, o200k.. in scan_cased.cpp, the DeepSeek ones in scan_deepseek.cpp, single classes in scan_class.cpp.
size_t scan_gpt2(std::string_view text, size_t at) noexcept;
size_t scan_llama3(std::string_view text, size_t at) noexcept;
size_t scan_qwen2(std::string_view text, size_t at) noexcept;
size_t scan_clip(std::string_view text, size_t at) noexcept;
size_t scan_bloom(std::string_view text, size_t at) noexcept;
size_t scan_o200k(std::string_view text, size_t at) noexcept;
size_t scan_tekken(std::string_view text, size_t at) noexcept;
size_t scan_deepseek3(std::string_view text, size_t at) noexcept;
size_t scan_deepseek_cased(std::string_view text, size_t at) noexcept;
size_t scan_deepseek_marks(std::string_view text, size_t at) noexcept;
size_t scan_deepseek_ideographs(std::string_view text, size_t at) noexcept;
size_t scan_deepseek3_ideographs(std::string_view text, size_t at) noexcept;
size_t scan_number(std::string_view text, size_t at) noexcept;
size_t scan_numbers(std::string_view text, size_t at) noexcept;
size_t scan_numbers_1_3(std::string_view text, size_t at) noexcept;
size_t scan_three_digits(std::string_view text, size_t at) noexcept;
size_t scan_line_end(std::string_view text, size_t at) noexcept;
size_t scan_spaced_letters(std::string_view text, size_t at) noexcept;
size_t scan_spaced_punctuation(std::string_view text, size_t at) noexcept;
size_t scan_trailing_spaces(std::string_view text, size_t at) noexcept;
size_t scan_marks_backquote(std::string_view text, size_t at) noexcept;
size_t scan_marks(std::string_view text, size_t at) noexcept;
size_t scan_words(std::string_view text, size_t at) noexcept;
size_t scan_white_space(std::string_view text, size_t at) noexcept;
size_t scan_white_space_run(std::string_view text, size_t at) noexcept;
size_t scan_two_spaces(std::string_view text, size_t at) noexcept;
size_t scan_spaced_words(std::string_view text, size_t at) noexcept;
size_t scan_punctuation(std::string_view text, size_t at) noexcept;

}  // namespace linnet::text
