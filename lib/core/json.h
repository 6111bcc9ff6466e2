// A bounded reader of JSON (RFC 8259) for what applications hand in: tools, schemas, conversations. One array of values and one of text;
// values are found by walking, and stay where they are as long as the document lives.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/array.h"

namespace linnet::core {

enum class JsonKind : uint8_t { null, boolean, integer, number, string, array, object };

class JsonValue {
 public:
  JsonKind kind() const noexcept { return kind_; }
  bool boolean() const noexcept { return kind_ == JsonKind::boolean && integer_ != 0; }
  /// Of a number that is written without fraction and exponent and fits 64 bits; 0 for all others.
  int64_t integer() const noexcept { return kind_ == JsonKind::integer ? integer_ : 0; }
  /// Of either kind of number; 0 for all others.
  double number() const noexcept {
    return kind_ == JsonKind::integer ? static_cast<double>(integer_) : kind_ == JsonKind::number ? number_ : 0;
  }
  /// A string's text, valid UTF-8 that may hold U+0000; a number as it was written.
  std::string_view text() const noexcept { return text_; }
  /// The name of an object's member.
  std::string_view key() const noexcept { return key_; }
  /// Elements of an array, members of an object.
  uint32_t size() const noexcept { return size_; }
  /// Null when there is no such member. Walks over all of them.
  const JsonValue* find(std::string_view key) const noexcept {
    for (const JsonValue& member : *this)
      if (kind_ == JsonKind::object && member.key_ == key) return &member;
    return nullptr;
  }

  class Iterator {
   public:
    explicit Iterator(const JsonValue* at) noexcept : at_(at) {}
    const JsonValue& operator*() const noexcept { return *at_; }
    Iterator& operator++() noexcept {
      at_ = at_->next_ ? at_ + at_->next_ : nullptr;
      return *this;
    }
    bool operator!=(const Iterator& other) const noexcept { return at_ != other.at_; }

   private:
    const JsonValue* at_;
  };
  /// Over elements, or over members in the order of their first mention.
  Iterator begin() const noexcept { return Iterator(first_ ? this + first_ : nullptr); }
  Iterator end() const noexcept { return Iterator(nullptr); }

 private:
  friend class JsonParser;
  std::string_view key_, text_;
  union {
    int64_t integer_ = 0;
    double number_;
  };
  uint32_t first_ = 0, next_ = 0;  // distances to the first child and the next sibling; 0: none
  uint32_t size_ = 0;
  JsonKind kind_ = JsonKind::null;
};

class Json {
 public:
  /// Exactly one value with white space around it. Of members with the same name the last one counts, at the place of the first.
  /// Errors: invalid_argument with "line 2, column 7" (in bytes) and what was expected there, or with the limit that is exceeded
  /// (limits::kJsonBytes, kJsonValues, kJsonNesting); out_of_memory.
  static Result<Json> parse(std::string_view text) noexcept;
  const JsonValue& root() const noexcept { return values_[0]; }

 private:
  friend class JsonParser;
  Array<JsonValue> values_;
  Array<char> text_;
};

}  // namespace linnet::core
