// Small models with odd sizes and random weights, converted here and now; no shared data needed.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "convert/checkpoint_folder.h"
#include "convert/convert.h"
#include "linnet/session.h"

namespace linnet::tests {

/// The next number of a fixed series for a matrix of `columns` columns: a product of such keeps its size.
class Weights {
 public:
  explicit Weights(uint32_t seed = 20240607) : random_(seed) {}
  std::vector<float> matrix(size_t rows, size_t columns) {
    std::normal_distribution<float> normal(0, 1.0f / std::sqrt(static_cast<float>(columns)));
    std::vector<float> values(rows * columns);
    for (float& value : values) value = normal(random_);
    return values;
  }
  std::vector<float> around(float middle, size_t count) {
    std::uniform_real_distribution<float> spread(middle - 0.2f, middle + 0.2f);
    std::vector<float> values(count);
    for (float& value : values) value = spread(random_);
    return values;
  }

 private:
  std::mt19937 random_;
};

/// hidden 60, 3 heads of 20 over 1 key/value head, intermediate 112, vocabulary 131, 512 positions.
inline convert::FakeCheckpoint decoder_checkpoint() {
  convert::FakeCheckpoint c({{"model_type", "llama"}, {"hidden_size", 60}, {"num_hidden_layers", 2}, {"num_attention_heads", 3},
                             {"num_key_value_heads", 1}, {"intermediate_size", 112}, {"vocab_size", 131}, {"max_position_embeddings", 512},
                             {"tie_word_embeddings", true}});
  Weights w;
  auto matrix = [&](const std::string& name, size_t rows, size_t columns) { c.put(name + ".weight", {rows, columns}, w.matrix(rows, columns)); };
  auto norm = [&](const std::string& name) { c.put(name + ".weight", {60}, w.around(1, 60)); };
  matrix("model.embed_tokens", 131, 60);
  for (int i = 0; i < 2; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    norm(layer + "input_layernorm");
    matrix(layer + "self_attn.q_proj", 60, 60);
    matrix(layer + "self_attn.k_proj", 20, 60);
    matrix(layer + "self_attn.v_proj", 20, 60);
    matrix(layer + "self_attn.o_proj", 60, 60);
    norm(layer + "post_attention_layernorm");
    matrix(layer + "mlp.gate_proj", 112, 60);
    matrix(layer + "mlp.up_proj", 112, 60);
    matrix(layer + "mlp.down_proj", 60, 112);
  }
  norm("model.norm");
  return c;
}

/// hidden 36, 3 heads of 12, intermediate 84, vocabulary 97, 128 positions, a classifier of 3 labels.
inline convert::FakeCheckpoint encoder_checkpoint() {
  convert::FakeCheckpoint c({{"model_type", "bert"}, {"architectures", {"BertForSequenceClassification"}}, {"hidden_size", 36},
                             {"num_hidden_layers", 2}, {"num_attention_heads", 3}, {"intermediate_size", 84}});
  Weights w;
  auto matrix = [&](const std::string& name, size_t rows, size_t columns) { c.put(name + ".weight", {rows, columns}, w.matrix(rows, columns)); };
  auto linear = [&](const std::string& name, size_t rows, size_t columns) {
    matrix(name, rows, columns);
    c.put(name + ".bias", {rows}, w.around(0, rows));
  };
  auto norm = [&](const std::string& name) {
    c.put(name + ".weight", {36}, w.around(1, 36));
    c.put(name + ".bias", {36}, w.around(0, 36));
  };
  matrix("bert.embeddings.word_embeddings", 97, 36);
  matrix("bert.embeddings.position_embeddings", 128, 36);
  matrix("bert.embeddings.token_type_embeddings", 2, 36);
  norm("bert.embeddings.LayerNorm");
  for (int i = 0; i < 2; ++i) {
    const std::string layer = "bert.encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
      linear(layer + name, 36, 36);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", 84, 36);
    linear(layer + "output.dense", 36, 84);
    norm(layer + "output.LayerNorm");
  }
  linear("bert.pooler.dense", 36, 36);
  linear("classifier", 3, 36);
  return c;
}

/// Converts and opens; the file is gone afterwards, the model is not.
inline Model open_converted(const convert::FakeCheckpoint& checkpoint, const std::string& weights) {
  convert::CheckpointFolder folder("small-model");
  folder.write(checkpoint);
  convert::Options options;
  options.weights = weights;
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  Result<Model> model = Model::open(folder.path("out.linnet").c_str());
  if (!model.ok()) FAIL(std::string(model.status().message()));
  return std::move(model.value());
}

inline Plan planned(const Model& model, const Limits& limits) {
  Result<Plan> result = plan(model, limits);
  if (!result.ok()) FAIL(std::string(result.status().message()));
  return std::move(result.value());
}

inline Session opened(const Model& model, const Limits& limits) {
  Result<Session> session = Session::create(model, planned(model, limits));
  if (!session.ok()) FAIL(std::string(session.status().message()));
  return std::move(session.value());
}

inline void must(const Status& status) {
  if (!status.ok()) FAIL(std::string(status.message()));
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) FAIL(std::string(result.status().message()));
  return std::move(result.value());
}

/// Token ids below `vocabulary` that look random.
inline std::vector<int32_t> tokens(size_t count, int32_t vocabulary = 131, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(count);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<uint32_t>(vocabulary));
  return ids;
}

/// An output of the last run, byte for byte.
inline std::vector<float> output(const Session& session, std::string_view name = "logits") {
  Result<Matrix> matrix = session.output(name);
  if (!matrix.ok()) FAIL(matrix.status().message());
  return {matrix->data, matrix->data + matrix->rows * matrix->columns};
}

inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && !a.empty() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace linnet::tests
