// An encoder whose only layer is a mixture of experts: int8 and mxfp4 stacks, biases, a turn, limits, groups, a correction.
#pragma once

#include "format/tiny_models.h"

namespace linnet::tests {

/// Stacked matrices: each begins on a multiple of 64 and is a multiple of 64 long.
inline Bytes stacked(size_t count, const Bytes& matrix) {
  const size_t stride = (matrix.size() + 63) / 64 * 64;
  Bytes all(count * stride);
  for (size_t i = 0; i < count; ++i) std::copy(matrix.begin(), matrix.end(), all.begin() + static_cast<long>(i * stride));
  return all;
}

/// Panels of one block: exponents of 2^-3, nibbles that differ.
inline Bytes mxfp4_bytes(size_t rows, size_t columns) {
  const size_t panels = (rows + 7) / 8, lines = (columns + 63) / 64 * 4;
  Bytes bytes;
  for (size_t p = 0; p < panels; ++p) {
    bytes.insert(bytes.end(), 64, uint8_t{124});
    for (size_t i = 0; i < lines * 64; ++i) bytes.push_back(static_cast<uint8_t>(i * 37 % 251));
  }
  return bytes;
}

/// token_ids -> Embed -> Linear -> Route; Embed -> Quantize -> Experts -> Clamp
inline TinyModel tiny_experts() {
  using schema::Options;
  using Builder = FlatBufferBuilder;
  constexpr uint32_t kExperts = 4, kInner = 16;
  TinyModel model;
  for (const char* operation : {"Embed", "Linear", "Route", "Quantize", "Experts", "Clamp"})
    model.requirements.push_back(std::string("operation:") + operation);
  for (const char* needed : {"encoding:f32", "encoding:int8", "encoding:mxfp4", "program:encoder"}) model.requirements.push_back(needed);
  model.add({.name = "embedding", .rows = kTinyVocabulary, .columns = kTinyHidden}, f32_bytes(kTinyVocabulary * kTinyHidden));
  model.add({.name = "router", .rows = kExperts, .columns = kTinyHidden}, f32_bytes(kExperts * kTinyHidden));
  model.add({.name = "gate_up", .encoding = schema::Encoding::int8, .rows = 2 * kInner, .columns = kTinyHidden, .count = kExperts},
            stacked(kExperts, int8_bytes(2 * kInner, kTinyHidden)));
  model.add({.name = "down", .encoding = schema::Encoding::mxfp4, .rows = kTinyHidden, .columns = kInner, .count = kExperts, .group = 32},
            stacked(kExperts, mxfp4_bytes(kTinyHidden, kInner)));
  model.add({.name = "gate_up bias", .rows = kExperts, .columns = 2 * kInner}, f32_bytes(kExperts * 2 * kInner));
  model.add({.name = "down bias", .rows = kExperts, .columns = kTinyHidden}, f32_bytes(kExperts * kTinyHidden));
  model.add({.name = "correction", .columns = kExperts}, f32_bytes(kExperts));
  TinyProgram p{.name = "encode", .kind = schema::ProgramKind::encoder};
  const format::Value wide = f32_value(kTinyHidden), q8{schema::ValueType::q8, kTinyHidden, {.symbol = schema::Symbol::tokens}, 0};
  format::Value chosen = index_value(kExperts);
  chosen.columns = 2;
  p.values = {{"ids", index_value(kTinyVocabulary)},
              {"embedded", wide},
              {"scores", f32_value(kExperts)},
              {"experts", chosen},
              {"weights", f32_value(2)},
              {"embedded q8", q8},
              {"mixed", wide},
              {"clamped", wide}};
  p.inputs = {{schema::Role::token_ids, "input_ids", 0}};
  p.outputs = {{schema::Role::hidden, "hidden", 7}};
  p.operations = {
      tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, 0); }),
      tiny_operation<schema::Linear>(Options::Linear, {1}, {2}, [](Builder& b) { return schema::CreateLinear(b, 1); }),
      tiny_operation<schema::Route>(Options::Route, {2}, {3, 4},
                                    [](Builder& b) {
                                      return schema::CreateRoute(b, 2, schema::RouteWeights::sigmoid, true, 1e-20f, 2.5f, 6, 2, 1,
                                                                 schema::GroupScore::two_largest);
                                    }),
      tiny_operation<schema::Quantize>(Options::Quantize, {1}, {5}, [](Builder& b) { return schema::CreateQuantize(b); }),
      tiny_operation<schema::Experts>(
          Options::Experts, {5, 3, 4}, {6},
          [](Builder& b) { return schema::CreateExperts(b, 2, 3, 4, 5, schema::Function::gelu_quick, false, 16, 7, 1); }),
      tiny_operation<schema::Clamp>(Options::Clamp, {6}, {7}, [](Builder& b) { return schema::CreateClamp(b, -3, 3); }),
  };
  model.programs = {p};
  return model;
}

}  // namespace linnet::tests
