// PEFT folders for tests, and the same adapter merged into its base's checkpoint, computed here without the converter.
#pragma once

#include "convert/adapters/convert_adapter.h"
#include "convert/checkpoint_folder.h"
#include "linnet/adapter.h"
#include "runtime/small_models.h"

namespace linnet::tests {

/// The tensors of an adapter (without "base_model.model.") and its configuration, as PEFT would save them.
class TestAdapter {
 public:
  explicit TestAdapter(uint32_t rank = 4, double alpha = 8, uint32_t seed = 5) : rank_(rank), alpha_(alpha), weights_(seed) {
    config_ = {{"peft_type", "LORA"}, {"r", rank}, {"lora_alpha", alpha}, {"target_modules", {"q_proj"}}, {"use_dora", false}};
  }
  convert::Json& config() { return config_; }

  /// A pair beside a linear of [out, in]; `rank` and `alpha` 0 = the adapter's own.
  TestAdapter& pair(const std::string& path, size_t out, size_t in, uint32_t rank = 0, double alpha = 0) {
    const uint32_t r = rank ? rank : rank_;
    put(path + ".lora_A.weight", {r, in}, weights_.matrix(r, in));
    put(path + ".lora_B.weight", {out, r}, scaled(weights_.matrix(out, r), 0.7f));
    scales_[path] = (alpha != 0 ? alpha : alpha_) / r;
    return *this;
  }
  TestAdapter& embedding(const std::string& path, size_t vocabulary, size_t hidden) {
    put(path + ".lora_embedding_A", {rank_, vocabulary}, weights_.matrix(rank_, vocabulary));
    put(path + ".lora_embedding_B", {hidden, rank_}, weights_.matrix(hidden, rank_));
    scales_[path] = alpha_ / rank_;
    return *this;
  }
  TestAdapter& put(const std::string& name, std::vector<uint64_t> shape, std::vector<float> values) {
    tensors_[name] = {std::move(shape), std::move(values)};
    return *this;
  }
  TestAdapter& fill(const std::string& name, std::vector<uint64_t> shape) {
    size_t count = 1;
    for (uint64_t size : shape) count *= size;
    return put(name, std::move(shape), weights_.around(0, count));
  }
  void remove(const std::string& name) { tensors_.erase(name); }

  void write(const convert::CheckpointFolder& folder) const {
    convert::FakeCheckpoint checkpoint(config_);
    for (const auto& [name, tensor] : tensors_) checkpoint.put("base_model.model." + name, tensor.shape, tensor.values);
    folder.write(checkpoint);
    std::filesystem::rename(folder.path("config.json"), folder.path("adapter_config.json"));
    std::filesystem::rename(folder.path("model.safetensors"), folder.path("adapter_model.safetensors"));
  }

  /// W + s B A for every pair, replacements put in; an embedding's pair cannot be merged into a table that is also the head.
  convert::FakeCheckpoint merged(convert::FakeCheckpoint base) const {
    for (const auto& [name, tensor] : tensors_) {
      if (const std::string path = without(name, ".lora_A.weight"); !path.empty())
        add_pair(base, path, tensor, tensors_.at(path + ".lora_B.weight"));
      else if (const std::string bias = without(name, ".lora_B.bias"); !bias.empty())
        add_bias(base, bias, tensor);
      else if (const std::string table = without(name, ".lora_embedding_A"); !table.empty())
        add_table(base, table, tensor, tensors_.at(table + ".lora_embedding_B"));
      else if (name.find("lora_") == std::string::npos)
        base.put(plain_name(name), tensor.shape, tensor.values);
    }
    return base;
  }

 private:
  struct Tensor {
    std::vector<uint64_t> shape;
    std::vector<float> values;
  };
  static std::vector<float> scaled(std::vector<float> values, float factor) {
    for (float& value : values) value *= factor;
    return values;
  }
  static std::string without(const std::string& name, const std::string& ending) {
    if (name.size() <= ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0) return "";
    return name.substr(0, name.size() - ending.size());
  }
  // "x.base_layer.bias", "x.modules_to_save.bias" -> "x.bias"
  static std::string plain_name(std::string name) {
    for (const std::string middle : {".base_layer", ".modules_to_save"})
      if (const size_t at = name.find(middle); at != std::string::npos) name.erase(at, middle.size());
    return name;
  }
  void add_pair(convert::FakeCheckpoint& base, const std::string& path, const Tensor& a, const Tensor& b) const {
    const size_t rank = a.shape[0], in = a.shape[1], out = b.shape[0];
    std::vector<float> w = base.read(path + ".weight");
    for (size_t n = 0; n < out; ++n)
      for (size_t k = 0; k < in; ++k) {
        double sum = 0;
        for (size_t i = 0; i < rank; ++i) sum += static_cast<double>(b.values[n * rank + i]) * a.values[i * in + k];
        w[n * in + k] += static_cast<float>(scales_.at(path) * sum);
      }
    base.put(path + ".weight", {out, in}, w);
  }
  void add_bias(convert::FakeCheckpoint& base, const std::string& path, const Tensor& tensor) const {
    std::vector<float> bias = base.read(path + ".bias");
    for (size_t n = 0; n < bias.size(); ++n) bias[n] += static_cast<float>(scales_.at(path)) * tensor.values[n];
    base.put(path + ".bias", {bias.size()}, bias);
  }
  void add_table(convert::FakeCheckpoint& base, const std::string& path, const Tensor& a, const Tensor& b) const {
    const size_t rank = a.shape[0], vocabulary = a.shape[1], hidden = b.shape[0];
    std::vector<float> table = base.read(path + ".weight");
    for (size_t id = 0; id < vocabulary; ++id)
      for (size_t n = 0; n < hidden; ++n) {
        double sum = 0;
        for (size_t i = 0; i < rank; ++i) sum += static_cast<double>(b.values[n * rank + i]) * a.values[i * vocabulary + id];
        table[id * hidden + n] += static_cast<float>(scales_.at(path) * sum);
      }
    base.put(path + ".weight", {vocabulary, hidden}, table);
  }

  uint32_t rank_;
  double alpha_;
  Weights weights_;
  convert::Json config_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, double> scales_;
};

/// Pairs beside every linear of decoder_checkpoint(), of two ranks and two scales; other numbers for another seed.
inline TestAdapter decoder_adapter(uint32_t seed = 5) {
  TestAdapter adapter(4, 6, seed);
  adapter.config()["rank_pattern"] = {{"down_proj", 9}};
  adapter.config()["alpha_pattern"] = {{"layers.1.self_attn.q_proj", 3}};
  for (int i = 0; i < 2; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    adapter.pair(layer + "self_attn.q_proj", 60, 60, 0, i == 1 ? 3 : 0).pair(layer + "self_attn.k_proj", 20, 60);
    adapter.pair(layer + "self_attn.v_proj", 20, 60).pair(layer + "self_attn.o_proj", 60, 60);
    adapter.pair(layer + "mlp.gate_proj", 112, 60).pair(layer + "mlp.up_proj", 112, 60).pair(layer + "mlp.down_proj", 60, 112, 9);
  }
  return adapter;
}

/// Everything that an adapter may do to encoder_checkpoint(): pairs with and without a bias, biases, a classifier and a norm in full.
inline TestAdapter encoder_adapter(uint32_t seed = 5) {
  TestAdapter adapter(3, 5, seed);
  adapter.config()["bias"] = "lora_only";
  adapter.config()["modules_to_save"] = {"classifier", "score"};
  for (int i = 0; i < 2; ++i) {
    const std::string layer = "bert.encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"attention.self.query", "attention.self.value", "attention.output.dense"}) adapter.pair(layer + name, 36, 36);
    adapter.pair(layer + "intermediate.dense", 84, 36).pair(layer + "output.dense", 36, 84);
    adapter.fill(layer + "attention.self.query.lora_B.bias", {36});
    adapter.fill(layer + "attention.self.value.bias", {36}).fill(layer + "output.dense.base_layer.bias", {36});
  }
  adapter.pair("bert.pooler.dense", 36, 36);
  adapter.fill("bert.encoder.layer.1.output.LayerNorm.weight", {36}).fill("bert.encoder.layer.1.output.LayerNorm.bias", {36});
  adapter.fill("classifier.weight", {3, 36}).fill("classifier.modules_to_save.bias", {3});
  return adapter;
}

/// Converted for `model` in memory and opened; the bytes live as long as the program.
inline Adapter open_adapter(const Model& model, const TestAdapter& adapter) {
  const convert::CheckpointFolder folder("adapter");
  adapter.write(folder);
  static std::vector<std::unique_ptr<std::vector<uint8_t>>> kept;
  kept.push_back(std::make_unique<std::vector<uint8_t>>(convert::adapter_in_memory(folder.path(), model.file())));
  return must(Adapter::open(model, kept.back()->data(), kept.back()->size()));
}

}  // namespace linnet::tests
