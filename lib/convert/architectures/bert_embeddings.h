// What stands before BERT's layers: rows of tables for the word, its segment and its place, added and normalized.
#pragma once

#include <fmt/format.h>

#include "convert/architectures/bert_layer.h"

namespace linnet::convert::pages {

/// The prefix that tensors have in a file that was saved with a head; "" in one of the bare body.
inline std::string body_prefix(const Graph& g, const std::string& prefix, const std::string& tensor) {
  return g.has(prefix + tensor) ? prefix : "";
}

inline uint32_t padding_id(const Config& config, int32_t fallback) {
  const int32_t id = config.whole("pad_token_id", fallback);
  if (id < 0) config.refuse("pad_token_id", "an id, since positions are counted by it");
  return static_cast<uint32_t>(id);
}

/// Refuses sizes in config.json that the tables do not have. `tables` ends with a dot.
inline void expect_tables(const Config& config, const Graph& g, const std::string& tables, const char* width) {
  g.expect_size(config, "vocab_size", tables + "word_embeddings.weight", 0);
  g.expect_size(config, width, tables + "word_embeddings.weight", 1);
  g.expect_size(config, "max_position_embeddings", tables + "position_embeddings.weight", 0);
  if (g.has(tables + "token_type_embeddings.weight")) g.expect_size(config, "type_vocab_size", tables + "token_type_embeddings.weight", 0);
}

inline Value word_rows(Graph& g, const std::string& tables) {
  return g.embed(g.token_ids(g.size(tables + "word_embeddings.weight", 0)), tables + "word_embeddings");  // tokens x width
}
inline Value type_rows(Graph& g, const std::string& tables) {
  const uint32_t types = g.size(tables + "token_type_embeddings.weight", 0);
  return g.embed(g.token_types(types), tables + "token_type_embeddings", {.role = WeightRole::exact});  // tokens x width
}
inline Value position_rows(Graph& g, const std::string& tables) {
  const uint32_t positions = g.size(tables + "position_embeddings.weight", 0);
  return g.embed(g.positions(positions), tables + "position_embeddings", {.role = WeightRole::exact});  // tokens x width
}

/// The tables that a family has besides words and places.
enum class Segments : uint8_t { none, told, told_if_several };

inline Value add_segments(Graph& g, Value x, const std::string& tables, Segments segments) {
  if (segments == Segments::none) return x;
  const std::string types = tables + "token_type_embeddings.weight";
  if (segments == Segments::told_if_several && g.size(types, 0) == 1) return g.add_row(x, types);  // the only one needs no input
  return g.add(x, type_rows(g, tables));                                                           // tokens x width
}

/// BERT's program, with positions from 0. `tables` ends with a dot.
inline Value bert_embeddings(Graph& g, const std::string& tables, float epsilon, Segments segments = Segments::told) {
  g.program("encode", schema::ProgramKind::encoder, g.size(tables + "position_embeddings.weight", 0));
  Value x = add_segments(g, word_rows(g, tables), tables, segments);  // tokens x width
  return layer_norm(g, g.add(x, position_rows(g, tables)), tables + "LayerNorm", epsilon);
}

/// RoBERTa's (arXiv 1907.11692): positions count the tokens that are no padding, from padding + 1 on.
inline Value roberta_embeddings(Graph& g, const std::string& tables, uint32_t padding, float epsilon,
                                Segments segments = Segments::told_if_several) {
  const std::string places = tables + "position_embeddings.weight";
  const uint32_t positions = g.size(places, 0);
  if (uint64_t{padding} + 2 > positions)
    throw Error(
        fmt::format("tensor {} has {} rows, expected more: those up to padding id {} are no positions", places, positions, padding));
  g.program("encode", schema::ProgramKind::encoder, positions - padding - 1);
  g.padding_positions(padding);
  Value x = add_segments(g, word_rows(g, tables), tables, segments);  // tokens x width
  return layer_norm(g, g.add(x, position_rows(g, tables)), tables + "LayerNorm", epsilon);
}

}  // namespace linnet::convert::pages
