// Sums, multiplications and soft-caps.
#include <fmt/format.h>

#include <cmath>

#include "convert/graph.h"

namespace linnet::convert {

using schema::ValueType;

Value Graph::add(Value a, Value b, float scale) {
  expect_columns(current().value_names[b.index], b.columns, a.columns);
  Value out = add_value("sum", ValueType::f32, a.columns, rows(a));
  operation(schema::Options::Binary, schema::CreateBinary(builder_, schema::BinaryFunction::add, scale), {a, b}, {out});
  return out;
}

Value Graph::scale(Value x, float factor) {
  if (factor == 1) return x;
  Value out = add_value(fmt::format("times {}", factor), ValueType::f32, x.columns, rows(x));
  operation(schema::Options::Scale, schema::CreateScale(builder_, factor), {x}, {out});
  return out;
}

Value Graph::softcap(Value x, float cap) {
  Value out = add_value(fmt::format("capped at {}", cap), ValueType::f32, x.columns, rows(x));
  operation(schema::Options::Softcap, schema::CreateSoftcap(builder_, cap), {x}, {out});
  return out;
}

}  // namespace linnet::convert
