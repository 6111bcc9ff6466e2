// The words of a JSON text: strings and numbers, read from the left, and where in the text something is wrong.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/array.h"

namespace linnet::core {

struct JsonNumber {
  std::string_view text;  // as it was written
  bool whole;             // written without fraction and exponent, and fits 64 bits
  int64_t integer;
  double real;
};

class JsonText {
 public:
  /// What strings and numbers say is appended to `kept`, which has room for all of `source`: views of it stay valid.
  JsonText(std::string_view source, Array<char>* kept) noexcept : source_(source), kept_(*kept) {}

  bool at_end() const noexcept { return at_ >= source_.size(); }
  /// '\0' at the end.
  char peek() const noexcept { return at_ < source_.size() ? source_[at_] : '\0'; }
  void skip() noexcept { ++at_; }
  void skip_space() noexcept;
  /// Passes over a word, where it stands here.
  bool take(std::string_view word) noexcept;
  Status fail(const char* expected) const noexcept;

  /// At its opening quote.
  Status read_string(std::string_view* text) noexcept;
  /// At its sign or first digit.
  Status read_number(JsonNumber* number) noexcept;

 private:
  void put(char c) noexcept { (void)kept_.push(c).ok(); }  // there is room, so this cannot fail
  std::string_view keep(std::string_view text) noexcept;
  Status read_digits() noexcept;
  Status read_escape() noexcept;
  Status read_code() noexcept;
  Status read_unit(uint32_t* unit) noexcept;

  std::string_view source_;
  Array<char>& kept_;
  size_t at_ = 0;
};

}  // namespace linnet::core
