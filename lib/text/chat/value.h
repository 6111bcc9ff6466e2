// The values that templates compute with, as the reference's language has them. All live in the arena of one rendering and are never
// changed, except namespaces and generators.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet::text::chat {

enum class Kind : uint8_t {
  undefined,
  none,
  boolean,
  integer,
  real,
  string,
  list,
  dict,
  range,
  space,     // namespace(...)
  loop,      // the `loop` of a for
  macro,     // {% macro %}, or the caller of a {% call %}
  function,  // raise_exception, range, ...
  method,    // 'a'.strip, before it is called
};

/// Memory of a text with room behind it. The text that ends where the used part ends may grow in place.
struct TextBlock {
  char* text;
  uint8_t* marks;
  size_t used, capacity;
};

/// Text and where each byte of it comes from: the template, or the caller's data.
struct String {
  const char* text = "";
  const uint8_t* marks = nullptr;  // for each byte whether it is data; null: all are as `data` says
  size_t size = 0;
  TextBlock* block = nullptr;
  bool data = false;

  std::string_view view() const noexcept { return {text, size}; }
  bool is_data(size_t at) const noexcept { return marks ? marks[at] != 0 : data; }
  /// A part; begin <= end <= size.
  String part(size_t begin, size_t end) const noexcept {
    return {text + begin, marks ? marks + begin : nullptr, end - begin, nullptr, data};
  }
};

struct List;
struct Dict;
struct Range;
struct Loop;
struct Macro;
struct Method;
struct Builtin;

/// Why a value is undefined: a variable of that name, or an attribute of a value of that type.
struct Missing {
  std::string_view name;
  const char* owner;  // null: it is a variable
};

struct Value {
  Kind kind = Kind::undefined;
  bool data = false;  // of all but strings: whether it comes from the caller's data
  union {
    int64_t integer = 0;
    bool boolean;
    double real;
    const String* string;
    const Missing* missing;  // may be null
    List* list;
    Dict* dict;  // also of a namespace
    const Range* range;
    Loop* loop;
    const Macro* macro;
    const Builtin* function;
    const Method* method;
  };

  static Value none() noexcept { return of(Kind::none); }
  static Value of_bool(bool boolean, bool data = false) noexcept {
    Value value = of(Kind::boolean, data);
    value.boolean = boolean;
    return value;
  }
  static Value of_integer(int64_t integer, bool data = false) noexcept {
    Value value = of(Kind::integer, data);
    value.integer = integer;
    return value;
  }
  static Value of_real(double real, bool data = false) noexcept {
    Value value = of(Kind::real, data);
    value.real = real;
    return value;
  }
  static Value of_string(const String* string) noexcept {
    Value value = of(Kind::string);
    value.string = string;
    return value;
  }
  static Value of(Kind kind, bool data = false) noexcept {
    Value value;
    value.kind = kind;
    value.data = data;
    return value;
  }
  bool is(Kind other) const noexcept { return kind == other; }
  bool is_number() const noexcept { return kind == Kind::boolean || kind == Kind::integer || kind == Kind::real; }
  /// Of a number.
  double as_real() const noexcept {
    return kind == Kind::real ? real : kind == Kind::integer ? static_cast<double>(integer) : static_cast<double>(boolean);
  }
  /// Of a boolean or integer.
  int64_t as_integer() const noexcept { return kind == Kind::boolean ? boolean : integer; }
  std::string_view text() const noexcept { return kind == Kind::string ? string->view() : std::string_view(); }
};

/// For messages: "str", "dict", ...
const char* type_name(const Value& value) noexcept;

enum class ListKind : uint8_t { list, tuple, generator, keys, values, items };

struct List {
  ListKind kind = ListKind::list;
  bool is_group = false;  // a tuple that groupby made
  size_t size = 0;
  Value* items = nullptr;
};

struct Entry {
  Value key, value;
};

struct Dict {
  size_t size = 0, capacity = 0;
  Entry* entries = nullptr;  // in the order of insertion
};

struct Range {
  int64_t start, stop, step;
  size_t size;
  /// The distance from start may be larger than 63 bits, though every number of the range fits.
  Value at(size_t i) const noexcept {
    return Value::of_integer(static_cast<int64_t>(static_cast<uint64_t>(start) + static_cast<uint64_t>(step) * i));
  }
};

/// What iterating over a value gives.
struct Items {
  const Value* values = nullptr;
  const Range* range = nullptr;
  size_t size = 0;
  Value at(size_t i) const noexcept { return range ? range->at(i) : values[i]; }
};

struct Binding {
  uint32_t name;
  Value value;
};

/// The variables of a block; what is not among them is looked for in the block around it.
struct Scope {
  Scope* parent = nullptr;
  Binding* bindings = nullptr;
  uint32_t size = 0, capacity = 0;
};

struct Loop {
  Items items;
  size_t index = 0;
  uint32_t depth = 0, node = 0;  // the for that it belongs to
  Scope* scope = nullptr;        // around the for
  Value changed;                 // what loop.changed saw last
  bool has_changed = false;
};

struct Macro {
  uint32_t node;
  Scope* scope;  // in which it was defined
  Value caller;  // of the macro that a {% call %} calls
};

struct Method {
  Value self;
  const Builtin* method;
  std::string_view name;
};

}  // namespace linnet::text::chat
