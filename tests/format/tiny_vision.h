// A model that sees pictures of 2 x 4 x 4 numbers and reads texts with rows in the place of some tokens.
#pragma once

#include "format/tiny_models.h"

namespace linnet::tests {

/// pixels -> Patchify, moved by GridEmbed and turned by RotaryAngles; JoinRows, and Attention of each picture's first row over all of them.
inline TinyProgram tiny_seeing() {
  using schema::Options;
  using Builder = FlatBufferBuilder;
  const auto rows = [](uint32_t columns, uint32_t of_each) {
    return format::Value{schema::ValueType::f32, columns, {.symbol = schema::Symbol::images, .multiply = of_each}, 0};
  };
  TinyProgram p{.name = "see", .kind = schema::ProgramKind::vision};
  p.values = {{"pixels", rows(32, 1)},
              {"places", {schema::ValueType::index, 4, {.symbol = schema::Symbol::images, .multiply = 4}, 9}},
              {"patches", rows(8, 4)},
              {"positions", rows(8, 4)},
              {"sums", rows(8, 4)},
              {"angles", rows(8, 4)},
              {"turned", rows(8, 4)},
              {"first", f32_value(8, schema::Symbol::sequences)},
              {"attended", f32_value(8, schema::Symbol::sequences)},
              {"joined", rows(32, 1)},
              {"split", rows(16, 2)}};
  p.inputs = {{schema::Role::pixels, "pixel_values", 0}, {schema::Role::image_positions, "image_places", 1}};
  p.outputs = {{schema::Role::pooled, "pooled", 8}, {schema::Role::image_features, "image_features", 10}};
  p.operations = {
      tiny_operation<schema::Patchify>(Options::Patchify, {0}, {2}, [](Builder& b) { return schema::CreatePatchify(b, 2, 4, 4, 2); }),
      tiny_operation<schema::GridEmbed>(Options::GridEmbed, {1}, {3}, [](Builder& b) { return schema::CreateGridEmbed(b, 1, 3); }),
      tiny_operation<schema::Binary>(Options::Binary, {2, 3}, {4}, [](Builder& b) { return schema::CreateBinary(b); }),
      tiny_operation<schema::RotaryAngles>(Options::RotaryAngles, {1}, {5},
                                           [](Builder& b) {
                                             schema::RotaryAnglesBuilder angles(b);
                                             angles.add_width(8);
                                             angles.add_grid(true);
                                             return angles.Finish();
                                           }),
      tiny_operation<schema::Rotary>(Options::Rotary, {4, 5}, {6}, [](Builder& b) { return schema::CreateRotary(b, 8); }),
      tiny_operation<schema::Pool>(Options::Pool, {6}, {7}, [](Builder& b) { return schema::CreatePool(b); }),
      tiny_operation<schema::Attention>(
          Options::Attention, {7, 6, 4}, {8},
          [](Builder& b) { return schema::CreateAttention(b, -1, schema::Reader::bidirectional, 2, 2, 4, 4, 0.5f); }),
      tiny_operation<schema::JoinRows>(Options::JoinRows, {6}, {9}, [](Builder& b) { return schema::CreateJoinRows(b, 4, 1, 2); }),
      tiny_operation<schema::JoinRows>(Options::JoinRows, {9}, {10}, [](Builder& b) { return schema::CreateJoinRows(b, 1, 2); }),
  };
  return p;
}

/// token_ids -> Embed, with rows in the place of id 7, and the row of the first such token.
inline TinyProgram tiny_reading() {
  using schema::Options;
  using Builder = FlatBufferBuilder;
  TinyProgram p{.name = "read", .kind = schema::ProgramKind::encoder};
  p.values = {{"ids", index_value(kTinyVocabulary)}, {"rows", f32_value(kTinyHidden, schema::Symbol::patches)},
              {"embedded", f32_value(kTinyHidden)},  {"placed", f32_value(kTinyHidden)},
              {"added", f32_value(kTinyHidden)},     {"pooled", f32_value(kTinyHidden, schema::Symbol::sequences)}};
  p.inputs = {{schema::Role::token_ids, "input_ids", 0}, {schema::Role::embeddings, "image_features", 1}};
  p.outputs = {{schema::Role::hidden, "hidden", 4}, {schema::Role::embedding, "text_embeds", 5}};
  p.operations = {
      tiny_operation<schema::Embed>(Options::Embed, {0}, {2}, [](Builder& b) { return schema::CreateEmbed(b, 0); }),
      tiny_operation<schema::PlaceRows>(Options::PlaceRows, {2, 0, 1}, {3}, [](Builder& b) { return schema::CreatePlaceRows(b, 7); }),
      tiny_operation<schema::PlaceRows>(Options::PlaceRows, {3, 0, 1}, {4}, [](Builder& b) { return schema::CreatePlaceRows(b, 0, true); }),
      tiny_operation<schema::PoolToken>(Options::PoolToken, {4, 0}, {5}, [](Builder& b) { return schema::CreatePoolToken(b, 7); }),
  };
  return p;
}

inline TinyModel tiny_vision() {
  TinyModel model;
  for (const char* operation :
       {"Patchify", "GridEmbed", "Binary", "RotaryAngles", "Rotary", "Pool", "Attention", "JoinRows", "Embed", "PlaceRows", "PoolToken"})
    model.requirements.push_back(std::string("operation:") + operation);
  for (const char* needed : {"encoding:f32", "program:encoder", "program:vision"}) model.requirements.push_back(needed);
  model.add({.name = "embedding", .rows = kTinyVocabulary, .columns = kTinyHidden}, f32_bytes(kTinyVocabulary * kTinyHidden));
  model.add({.name = "positions", .rows = 9, .columns = 8}, f32_bytes(9 * 8));
  model.programs = {tiny_seeing(), tiny_reading()};
  return model;
}

}  // namespace linnet::tests
