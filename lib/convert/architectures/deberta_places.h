// DeBERTa's scores by relative position (arXiv 2006.03654, section 3.1): what the configuration says of them, and the tables that queries
// and keys are multiplied with. These depend on the weights alone, so that the converter makes them.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "convert/architectures/bert_layer.h"

namespace linnet::convert::pages {

struct Places {
  explicit Places(const Config& c)
      : relative(c.flag("relative_attention", false)), shared(c.flag("share_att_key", false)), normalized(false) {
    const int32_t reach = c.whole("max_relative_positions", -1), buckets = c.whole("position_buckets", -1);
    distance = reach < 1 ? c.count("max_position_embeddings", 512) : static_cast<uint32_t>(reach);
    span = buckets > 0 ? static_cast<uint32_t>(buckets) : distance;
    if (relative && buckets > 0 && (buckets < 2 || distance <= span / 2 + 1))
      c.refuse("position_buckets", "at least 2, and less than twice the longest distance");
    if (buckets <= 0) distance = 0;
    for (const std::string& kind : words(c, "pos_att_type")) {
      if (kind != "c2p" && kind != "p2c") c.refuse("pos_att_type", "c2p, p2c or both");
      (kind == "c2p" ? by_query : by_key) = true;
    }
    for (const std::string& kind : words(c, "norm_rel_ebd")) normalized = normalized || kind == "layer_norm";
  }
  float scale(uint32_t head_dim) const {
    return static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim) * (1 + by_query + by_key)));
  }

  bool relative, shared, normalized;
  bool by_query = false, by_key = false;  // terms: query by place, key by place
  uint32_t span, distance;                // as in RelativeTables

 private:
  /// Written as "a|b" or as a list.
  static std::vector<std::string> words(const Config& c, const char* key) {
    if (c.has(key) && c.json().at(key).is_array()) return c.texts(key);
    std::vector<std::string> all;
    std::string word;
    for (const char letter : c.text(key, "") + "|") {
      if (letter != '|' && letter != ' ')
        word += static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
      else if (letter == '|' && !word.empty())
        all.push_back(std::exchange(word, ""));
    }
    return all;
  }
};

/// One row for each relative position: [2 * span][hidden].
struct RelativeRows {
  std::vector<float> numbers;
  std::vector<std::string> made_of;
};

/// `encoder` ends with a dot.
inline RelativeRows relative_rows(Graph& g, const std::string& encoder, const Places& places, float epsilon) {
  const std::string table = encoder + "rel_embeddings.weight", norm = encoder + "LayerNorm";
  if (!places.relative || !(places.by_query || places.by_key)) return {};
  if (g.size(table, 0) != 2 * places.span)
    throw Error(fmt::format("tensor {} has {} rows, expected {}: two for each bucket", table, g.size(table, 0), 2 * places.span));
  RelativeRows rows = {g.weights().read(table), {table}};
  if (!places.normalized) return rows;
  rows.made_of.insert(rows.made_of.end(), {norm + ".weight", norm + ".bias"});
  const std::vector<float> weight = g.weights().read(norm + ".weight"), bias = g.weights().read(norm + ".bias");
  const size_t columns = g.size(table, 1);
  if (weight.size() != columns || bias.size() != columns)
    throw Error(fmt::format("tensor {}.weight has {} values, expected {}", norm, weight.size(), columns));
  for (auto row = rows.numbers.begin(); row != rows.numbers.end(); row += static_cast<ptrdiff_t>(columns)) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < columns; ++i) mean += row[static_cast<ptrdiff_t>(i)] / static_cast<double>(columns);
    for (size_t i = 0; i < columns; ++i) variance += std::pow(row[static_cast<ptrdiff_t>(i)] - mean, 2) / static_cast<double>(columns);
    for (size_t i = 0; i < columns; ++i) {
      float& number = row[static_cast<ptrdiff_t>(i)];
      number = static_cast<float>((number - mean) / std::sqrt(variance + epsilon)) * weight[i] + bias[i];
    }
  }
  return rows;
}

/// The rows through a linear layer of the checkpoint, whose tensors are noted.
inline std::vector<float> projected(Graph& g, const RelativeRows& rows, const std::string& linear, std::vector<std::string>* made_of) {
  const std::vector<float> matrix = g.weights().read(linear + ".weight"), bias = g.weights().read(linear + ".bias");
  const size_t columns = g.size(linear + ".weight", 1), outputs = g.size(linear + ".weight", 0), count = rows.numbers.size() / columns;
  if (rows.numbers.size() != count * columns || bias.size() != outputs)
    throw Error(
        fmt::format("tensor {}.weight is {} x {}, expected the width of the relative positions and of its bias", linear, outputs, columns));
  made_of->insert(made_of->end(), {linear + ".weight", linear + ".bias"});
  std::vector<float> out(count * outputs);
  for (size_t r = 0; r < count; ++r)
    for (size_t n = 0; n < outputs; ++n) {
      double sums[4] = {bias[n], 0, 0, 0};
      for (size_t i = 0; i < columns; ++i) sums[i % 4] += double{rows.numbers[r * columns + i]} * matrix[n * columns + i];
      out[r * outputs + n] = static_cast<float>((sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
  return out;
}

/// A layer's tables: empty ones where scores have no such term. `self` ends with a dot.
inline RelativeTables relative_tables(Graph& g, const std::string& self, const LayerNames& names, const Places& places,
                                      const RelativeRows& rows) {
  RelativeTables tables = {
      .name = self, .keys = {}, .queries = {}, .made_of = rows.made_of, .span = places.span, .distance = places.distance};
  if (rows.numbers.empty()) return tables;
  if (places.by_query) tables.keys = projected(g, rows, places.shared ? names.key : self + "pos_key_proj", &tables.made_of);
  if (places.by_key) tables.queries = projected(g, rows, places.shared ? names.query : self + "pos_query_proj", &tables.made_of);
  return tables;
}

}  // namespace linnet::convert::pages
