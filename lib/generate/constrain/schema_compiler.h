// The compiler of JSON schemas. A value's schema is a list of schema objects that all have to hold: allOf, references and the branch of a
// choice add to it. Each list becomes one rule; rules are worked off one after the other, so that schemas nest without recursion.
#pragma once

#include "core/json.h"
#include "generate/constrain/grammar.h"
#include "generate/constrain/number_range.h"
#include "text/bytes.h"

namespace linnet::constrain {

using core::JsonKind;
using core::JsonValue;

constexpr uint32_t kMostParts = 24;

/// Schema objects that hold together. `chosen`: bits of the choices (anyOf, oneOf) that have been made.
struct Parts {
  struct Part {
    const JsonValue* schema;
    uint8_t chosen;
  };
  Part items[kMostParts];
  uint32_t count = 0;
  bool never = false;  // the schema false is among them
  const Part* begin() const noexcept { return items; }
  const Part* end() const noexcept { return items + count; }
};

/// Kinds of values as bits.
enum Type : uint32_t { kNull = 1, kBoolean = 2, kInteger = 4, kNumber = 8, kString = 16, kArray = 32, kObject = 64, kEveryType = 127 };

class SchemaCompiler {
 public:
  SchemaCompiler(const JsonValue& root, Grammar* grammar) noexcept : root_(root), grammar_(*grammar) {}
  Status run() noexcept;

 private:
  // schema.cpp: what holds, and the rule of it
  struct Place {
    uint32_t parent;
    std::string_view name;
  };
  struct Task {
    Parts parts;
    uint32_t rule, place;
  };
  Status add_part(const JsonValue& schema, Parts* parts, uint32_t depth = 0) noexcept;
  Result<const JsonValue*> find_reference(const JsonValue& reference) noexcept;
  Result<Expr> rule_of(const Parts& parts, std::string_view name) noexcept;
  Status enter(std::string_view name, uint32_t* left) noexcept;
  Result<Expr> body(const Parts& parts) noexcept;
  Result<Expr> choose(const Parts& parts, size_t index, const JsonValue& branches, uint8_t bit) noexcept;
  /// Counts comparisons of names and values: a schema must not take more time than its size explains.
  Status spend(uint64_t work) noexcept;
  Status refuse(const char* what, const char* why) noexcept;
  Status wrong(const char* keyword, const char* expected) noexcept;

  // schema_keywords.cpp
  Status check_keywords(const JsonValue& schema) noexcept;
  Result<uint32_t> types(const Parts& parts) noexcept;
  static bool says_only_types(const Parts& parts) noexcept;
  /// A whole number of the keyword, from all parts: the largest or the smallest; `none` where there is none.
  Result<uint32_t> count(const Parts& parts, const char* keyword, bool largest, uint32_t none) noexcept;

  // schema_choices.cpp: enum and const; when oneOf is the same as anyOf
  Result<bool> constants(const Parts& parts, Expr* expr) noexcept;
  Result<bool> are_apart(const JsonValue& a, const JsonValue& b) noexcept;
  bool differ_by_property(const Parts& a, const Parts& b) noexcept;
  Status check_apart(const JsonValue& branches) noexcept;

  // schema_values.cpp: texts of JSON
  Expr any_value() noexcept;
  Expr string_character() noexcept;
  Expr any_string() noexcept;
  Expr any_number() noexcept;
  Expr space() noexcept;
  Status append_literal(const JsonValue& value, text::Bytes* out) noexcept;
  Expr key(std::string_view name) noexcept;

  // schema_array.cpp, schema_string.cpp, schema_number.cpp, schema_object.cpp
  Result<Expr> array(const Parts& parts) noexcept;
  Result<Expr> element(const Parts& parts, size_t index, bool* never) noexcept;
  Result<Expr> string(const Parts& parts) noexcept;
  Result<Expr> number(const Parts& parts, bool integer) noexcept;
  Result<bool> bound(const Parts& parts, bool lower, Bound* out) noexcept;
  Result<Expr> whole(const Bound* low, const Bound* high, uint64_t step) noexcept;
  Result<Expr> decimals(const Bound* low, const Bound* high, uint32_t digits) noexcept;
  Result<Expr> object(const Parts& parts) noexcept;
  struct Property {
    std::string_view name;
    bool required;
  };
  static Status add_name(core::Array<Property>* all, std::string_view name, bool required) noexcept;
  Result<Expr> property_value(const Parts& parts, std::string_view name, bool listed) noexcept;
  Result<Expr> members(const Parts& parts, std::span<const Property> properties, bool open) noexcept;
  Result<Expr> other_key(std::span<const std::string_view> names) noexcept;

  const JsonValue& root_;
  Grammar& grammar_;
  core::Array<Task> tasks_;
  core::Array<uint32_t> slots_;  // tasks by their parts
  core::Array<Place> places_;
  uint32_t place_ = 0;  // of the task at hand
  uint64_t spent_ = 0;
  Expr any_value_ = kEmpty, string_ = kEmpty, character_ = kEmpty, number_ = kEmpty;  // once they are made
};

/// Appends a string's text as JSON writes it, without the quotes.
Status append_escaped(std::string_view text, text::Bytes* out) noexcept;
/// Characters of a set as they stand in a JSON string.
Expr in_string(Grammar& grammar, std::span<const CharacterRange> ranges, bool inverted = false) noexcept;
bool same_value(const JsonValue& a, const JsonValue& b) noexcept;

}  // namespace linnet::constrain
