// The models themselves: an encoder that embeds, normalizes and multiplies, and a decoder with int8 weights and token state.
#pragma once

#include <cmath>

#include "format/tiny_model.h"

namespace linnet::tests {

constexpr uint32_t kTinyVocabulary = 11;
constexpr uint32_t kTinyHidden = 12;  // two heads of 6

/// Small numbers that differ from row to row and are the same everywhere.
inline float tiny_weight(size_t i) { return static_cast<float>(static_cast<int>(i * 7919 % 31) - 15) / 32; }

inline Bytes f32_bytes(size_t count, float offset = 0) {
  Bytes bytes(count * 4);
  for (size_t i = 0; i < count; ++i) {
    const float number = tiny_weight(i) + offset;
    std::memcpy(bytes.data() + i * 4, &number, 4);
  }
  return bytes;
}

/// The p8x8 panels of FORMAT.md: rows of whole numbers -15 to 15 with scale 1/32.
inline Bytes int8_bytes(size_t rows, size_t columns) {
  const size_t panels = (rows + 7) / 8, padded = (columns + 63) / 64 * 64;
  Bytes bytes(panels * 8 * padded + panels * 8 * 4);
  for (size_t n = 0; n < rows; ++n) {
    for (size_t k = 0; k < columns; ++k)
      bytes[n / 8 * 8 * padded + k / 8 * 64 + n % 8 * 8 + k % 8] =
          static_cast<uint8_t>(static_cast<int8_t>(tiny_weight(n * columns + k) * 32));
    const float scale = 1.0f / 32;
    std::memcpy(bytes.data() + panels * 8 * padded + n * 4, &scale, 4);
  }
  return bytes;
}

template <class Table>
TinyOperation tiny_operation(schema::Options type, std::vector<uint32_t> inputs, std::vector<uint32_t> outputs,
                             Offset<Table> (*create)(FlatBufferBuilder&)) {
  return {type, [create](FlatBufferBuilder& builder) { return create(builder).Union(); }, std::move(inputs), std::move(outputs)};
}

inline format::Value f32_value(uint32_t columns, schema::Symbol symbol = schema::Symbol::tokens) {
  return {schema::ValueType::f32, columns, {.symbol = symbol}, 0};
}
inline format::Value index_value(uint32_t bound, schema::Symbol symbol = schema::Symbol::tokens) {
  return {schema::ValueType::index, 1, {.symbol = symbol}, bound};
}

/// token_ids -> Embed -> Norm -> Linear -> logits
inline TinyModel tiny_encoder() {
  using schema::Options;
  TinyModel model;
  model.requirements = {"operation:Embed", "operation:Norm", "operation:Linear", "encoding:f32", "program:encoder"};
  model.add({.name = "embedding", .rows = kTinyVocabulary, .columns = kTinyHidden}, f32_bytes(kTinyVocabulary * kTinyHidden));
  model.add({.name = "norm.weight", .columns = kTinyHidden}, f32_bytes(kTinyHidden, 1));
  model.add({.name = "norm.bias", .columns = kTinyHidden}, f32_bytes(kTinyHidden));
  model.add({.name = "head", .rows = 5, .columns = kTinyHidden, .source = "classifier.weight", .source_rows = 5},
            f32_bytes(5 * kTinyHidden));
  model.add({.name = "head.bias", .columns = 5}, f32_bytes(5));
  TinyProgram program{.name = "encoder"};
  program.values = {{"ids", index_value(kTinyVocabulary)},
                    {"embedded", f32_value(kTinyHidden)},
                    {"normal", f32_value(kTinyHidden)},
                    {"logits", f32_value(5)}};
  program.inputs = {{schema::Role::token_ids, "input_ids", 0}};
  program.outputs = {{schema::Role::hidden, "last_hidden_state", 2}, {schema::Role::logits, "logits", 3}};
  program.operations = {
      tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](FlatBufferBuilder& b) { return schema::CreateEmbed(b, 0); }),
      tiny_operation<schema::Norm>(Options::Norm, {1}, {2},
                                   [](FlatBufferBuilder& b) { return schema::CreateNorm(b, schema::NormKind::layer, 1e-5f, 0, 1, 2); }),
      tiny_operation<schema::Linear>(Options::Linear, {2}, {3}, [](FlatBufferBuilder& b) { return schema::CreateLinear(b, 3, 4); }),
  };
  model.programs = {program};
  model.labels = {"A", "B", "C", "D", "E"};
  return model;
}

/// One layer of a decoder: int8 projections, rotary, paged attention, a residual sum, a head tied to the embedding.
inline TinyModel tiny_decoder() {
  using schema::Options;
  using Builder = FlatBufferBuilder;
  TinyModel model;
  model.task = schema::Task::text_generation;
  model.requirements = {"encoding:f32", "encoding:int8", "program:autoregressive", "state:token"};
  for (const char* name :
       {"Embed", "Norm", "Quantize", "Linear", "Slice", "RotaryAngles", "Rotary", "Append", "Attention", "Binary", "SelectRows"})
    model.requirements.push_back(std::string("operation:") + name);
  model.add({.name = "embedding", .rows = kTinyVocabulary, .columns = kTinyHidden}, f32_bytes(kTinyVocabulary * kTinyHidden));
  model.add({.name = "norm.weight", .columns = kTinyHidden}, f32_bytes(kTinyHidden, 1));
  model.add({.name = "qkv", .encoding = schema::Encoding::int8, .rows = 36, .columns = kTinyHidden}, int8_bytes(36, kTinyHidden));
  model.add({.name = "output", .encoding = schema::Encoding::int8, .rows = 12, .columns = kTinyHidden}, int8_bytes(12, kTinyHidden));
  model.states = {{.name = "layer 0", .heads = 2, .key_width = 6, .value_width = 6}};
  TinyProgram p{.name = "decoder", .kind = schema::ProgramKind::autoregressive};
  const format::Value wide = f32_value(kTinyHidden), q8{schema::ValueType::q8, kTinyHidden, {.symbol = schema::Symbol::tokens}, 0};
  p.values = {{"ids", index_value(kTinyVocabulary)},
              {"positions", index_value(1 << 20)},
              {"embedded", wide},
              {"normal", wide},
              {"normal q8", q8},
              {"qkv", f32_value(36)},
              {"q", wide},
              {"k", wide},
              {"v", wide},
              {"angles", f32_value(6)},
              {"turned q", wide},
              {"turned k", wide},
              {"mixed", wide},
              {"mixed q8", q8},
              {"projected", wide},
              {"sum", wide},
              {"rows", index_value(0, schema::Symbol::outputs)},
              {"chosen", f32_value(kTinyHidden, schema::Symbol::outputs)},
              {"logits", f32_value(kTinyVocabulary, schema::Symbol::outputs)}};
  p.inputs = {
      {schema::Role::token_ids, "input_ids", 0}, {schema::Role::positions, "position_ids", 1}, {schema::Role::output_rows, "rows", 16}};
  p.outputs = {{schema::Role::logits, "logits", 18}};
  p.operations = {
      tiny_operation<schema::Embed>(Options::Embed, {0}, {2}, [](Builder& b) { return schema::CreateEmbed(b, 0, 2.0f); }),
      tiny_operation<schema::Norm>(Options::Norm, {2}, {3},
                                   [](Builder& b) { return schema::CreateNorm(b, schema::NormKind::rms, 1e-6f, 0, 1); }),
      tiny_operation<schema::Quantize>(Options::Quantize, {3}, {4}, [](Builder& b) { return schema::CreateQuantize(b); }),
      tiny_operation<schema::Linear>(Options::Linear, {4}, {5}, [](Builder& b) { return schema::CreateLinear(b, 2); }),
      tiny_operation<schema::Slice>(Options::Slice, {5}, {6}, [](Builder& b) { return schema::CreateSlice(b, 0); }),
      tiny_operation<schema::Slice>(Options::Slice, {5}, {7}, [](Builder& b) { return schema::CreateSlice(b, 12); }),
      tiny_operation<schema::Slice>(Options::Slice, {5}, {8}, [](Builder& b) { return schema::CreateSlice(b, 24); }),
      tiny_operation<schema::RotaryAngles>(Options::RotaryAngles, {1}, {9}, [](Builder& b) { return schema::CreateRotaryAngles(b, 6); }),
      tiny_operation<schema::Rotary>(Options::Rotary, {6, 9}, {10}, [](Builder& b) { return schema::CreateRotary(b, 6); }),
      tiny_operation<schema::Rotary>(Options::Rotary, {7, 9}, {11}, [](Builder& b) { return schema::CreateRotary(b, 6); }),
      tiny_operation<schema::Append>(Options::Append, {11, 8}, {}, [](Builder& b) { return schema::CreateAppend(b, 0); }),
      tiny_operation<schema::Attention>(
          Options::Attention, {10}, {12},
          [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::causal, 2, 2, 6, 6, 0.40824829f); }),
      tiny_operation<schema::Quantize>(Options::Quantize, {12}, {13}, [](Builder& b) { return schema::CreateQuantize(b); }),
      tiny_operation<schema::Linear>(Options::Linear, {13}, {14}, [](Builder& b) { return schema::CreateLinear(b, 3); }),
      tiny_operation<schema::Binary>(Options::Binary, {2, 14}, {15}, [](Builder& b) { return schema::CreateBinary(b); }),
      tiny_operation<schema::SelectRows>(Options::SelectRows, {15, 16}, {17}, [](Builder& b) { return schema::CreateSelectRows(b); }),
      tiny_operation<schema::Linear>(Options::Linear, {17}, {18}, [](Builder& b) { return schema::CreateLinear(b, 0); }),
  };
  model.programs = {p};
  model.tokenizer = [](Builder& b) {
    // Eleven pieces: a to k.
    const std::vector<uint8_t> letters = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'};
    const std::vector<uint32_t> ends = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    return schema::CreateTokenizerDirect(b, schema::TokenizerKind::word_level, &letters, &ends);
  };
  model.generation = [](Builder& b) {
    const std::vector<int32_t> eos = {2};
    return schema::CreateGenerationDirect(b, 1, &eos);
  };
  return model;
}

}  // namespace linnet::tests
