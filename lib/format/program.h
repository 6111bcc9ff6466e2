// A verified program in memory: what the file's tables say, copied out and resolved. Plan and executor walk these.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/array.h"
#include "linnet_generated.h"

namespace linnet::format {

/// rows = multiply * symbol / divide + per_sequence * sequences + constant
struct Rows {
  schema::Symbol symbol = schema::Symbol::none;
  uint32_t multiply = 1, divide = 1, per_sequence = 0, constant = 0;
  bool operator==(const Rows&) const = default;
};
constexpr size_t kSymbols = 7;

struct Value {
  schema::ValueType type = schema::ValueType::f32;
  uint32_t columns = 0;
  Rows rows;
  uint32_t bound = 0;   // of an index
  bool operator==(const Value&) const = default;
};

struct Tensor {
  std::string_view name;
  schema::Encoding encoding = schema::Encoding::f32;
  uint32_t rows = 0, columns = 0, count = 1, group = 0;
  const uint8_t* data = nullptr;   // in the weight segment; null while only planning without weights
  uint64_t offset = 0;             // in the weight segment
  uint64_t bytes = 0;
  uint64_t checksum = 0;
};

/// Bytes that `count` matrices of this shape take on disk (each matrix starts on a multiple of 64); 0 when the
/// encoding is unknown or the sizes overflow or pass a limit.
uint64_t tensor_bytes(schema::Encoding encoding, uint64_t rows, uint64_t columns, uint64_t count) noexcept;

struct State {
  std::string_view name;
  schema::StateKind kind = schema::StateKind::token;
  uint32_t layer = 0, heads = 1, key_width = 0, value_width = 0, window = 0, sinks = 0;
  schema::StateEncoding encoding = schema::StateEncoding::f32;
};

struct Node {
  schema::Options type = schema::Options::NONE;
  const void* options = nullptr;          // the FlatBuffers table, in the model's own copy
  std::span<const uint32_t> inputs;       // values
  std::span<const uint32_t> outputs;
  template <class T> const T& as() const { return *static_cast<const T*>(options); }
};

struct Port {
  schema::Role role;
  std::string_view name;
  uint32_t value;
};

struct Program {
  std::string_view name;
  schema::ProgramKind kind = schema::ProgramKind::encoder;
  uint32_t max_positions = 0, block_length = 0;
  int32_t padding_id = -1, separator_id = -1;
  schema::GlobalRule global_rule = schema::GlobalRule::none;
  core::Array<Value> values;
  core::Array<Port> inputs, outputs;
  core::Array<Node> nodes;
};

}  // namespace linnet::format
