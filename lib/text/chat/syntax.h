// A template as its parser leaves it: one array of nodes, each with its first child and its next sibling. Statements and expressions are
// nodes alike. What children a kind has is listed beside it; `absent` stands for one that was left out.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/array.h"
#include "text/chat/value.h"

namespace linnet::text::chat {

enum class NodeKind : uint8_t {
  absent,
  // expressions
  constant,     // value
  name,         // name
  list,         // elements
  tuple,        // elements
  dict,         // key, value, key, value, ...
  attribute,    // name; object
  item,         // object, index
  slice,        // start, stop, step: only as an index
  call,         // callee, arguments; keyword ones are of kind `keyword`
  keyword,      // name; value
  filter,       // builtin; filtered value (absent in a filter block), arguments
  test,         // builtin; tested value, arguments
  negative,     // operand
  positive,     // operand
  inverse,      // operand of `not`
  arithmetic,   // first operand, then operands that carry the operator before them
  operand,      // op; expression
  join,         // ~: operands
  compare,      // first operand, then `operand`s
  conjunction,  // and: operands
  disjunction,  // or: operands
  conditional,  // condition, value, other value
  // statements
  sequence,    // statements
  text,        // value
  print,       // expression
  loop,        // target, iterable, condition, body, else; flag: recursive
  branch,      // condition, body, condition, body, ..., else body or absent
  assign,      // target, value
  capture,     // target, filters, body: {% set x %}...{% endset %}
  filtered,    // filters, body
  with,        // target, value, target, value, ..., body
  macro,       // name; parameters, body
  parameter,   // name; default, if it has one
  call_block,  // call, macro of the body
  scoped,      // body: {% generation %}
  leave,       // break
  skip,        // continue
};

enum class Operator : uint8_t {
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  power,
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in
};

/// A filter, test, method or function. `parameters` are names that may also be given as keywords, "?" for any arguments.
class Evaluator;
struct Arguments;
struct Builtin {
  std::string_view name;
  const char* parameters;
  Status (*run)(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept;
};

struct Node {
  NodeKind kind = NodeKind::absent;
  Operator op = Operator::add;
  bool flag = false;
  uint32_t line = 0;
  uint32_t first = 0, next = 0;  // indices; 0: none
  uint32_t name = 0;
  union {
    const Builtin* builtin = nullptr;
    size_t constant;  // index into constants
  };
};

struct Syntax {
  core::Array<Node> nodes;              // 0 is the whole template
  core::Array<std::string_view> names;  // of variables and attributes
  core::Array<Value> constants;         // strings hold an index into `strings` until the tree is complete
  core::Array<String> strings;
  core::Array<char> text;  // the source with its line ends made alike, then texts of literals
};

/// Errors: corrupt (no template), unsupported (nothing this library has); both name line and culprit. out_of_memory.
Status parse(std::string_view source, Syntax* syntax) noexcept;

}  // namespace linnet::text::chat
