// Writes a Hugging Face folder with random bfloat16 weights at the shapes of a published model: for speed and memory, never quality.
//
//   bench_synthetic NAME FOLDER          NAME: smollm2-135m, qwen2.5-0.5b, llama3.2-1b, olmoe-like, minilm-l6, bert-base

#include <fmt/core.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/half.h"

namespace {

struct Shape {
  const char* name;
  bool decoder;
  uint32_t hidden, layers, heads, kv_heads, inner, vocabulary, positions;
  bool query_bias;
  uint32_t experts = 0;  // of each layer; inner is an expert's
};

constexpr Shape kShapes[] = {
    {"smollm2-135m", true, 576, 30, 9, 3, 1536, 49152, 8192, false},
    {"qwen2.5-0.5b", true, 896, 24, 14, 2, 4864, 151936, 32768, true},
    {"llama3.2-1b", true, 2048, 16, 32, 8, 8192, 128256, 131072, false},
    {"olmoe-like", true, 2048, 4, 16, 16, 1024, 50304, 4096, false, 64},  // OLMoE's layers, a quarter of them
    {"minilm-l6", false, 384, 6, 12, 12, 1536, 30522, 512, true},
    {"bert-base", false, 768, 12, 12, 12, 3072, 30522, 512, true},
};

struct Tensor {
  std::string name;
  uint64_t rows, columns;   // rows 0: a vector
  float spread, centre;
};

std::vector<Tensor> decoder_tensors(const Shape& s) {
  uint64_t width = s.hidden / s.heads;
  std::vector<Tensor> all = {{"model.embed_tokens.weight", s.vocabulary, s.hidden, 0.02f, 0}, {"model.norm.weight", 0, s.hidden, 0.05f, 1}};
  for (uint32_t i = 0; i < s.layers; ++i) {
    std::string at = fmt::format("model.layers.{}.", i);
    all.push_back({at + "input_layernorm.weight", 0, s.hidden, 0.05f, 1});
    all.push_back({at + "post_attention_layernorm.weight", 0, s.hidden, 0.05f, 1});
    for (auto [name, rows] : {std::pair{"q", s.heads * width}, std::pair{"k", s.kv_heads * width}, std::pair{"v", s.kv_heads * width}}) {
      all.push_back({at + "self_attn." + name + "_proj.weight", rows, s.hidden, 0.03f, 0});
      if (s.query_bias) all.push_back({at + "self_attn." + name + "_proj.bias", 0, rows, 0.02f, 0});
    }
    all.push_back({at + "self_attn.o_proj.weight", s.hidden, s.heads * width, 0.03f, 0});
    const auto mlp = [&](const std::string& name) {
      all.push_back({name + "gate_proj.weight", s.inner, s.hidden, 0.03f, 0});
      all.push_back({name + "up_proj.weight", s.inner, s.hidden, 0.03f, 0});
      all.push_back({name + "down_proj.weight", s.hidden, s.inner, 0.03f, 0});
    };
    if (s.experts == 0) mlp(at + "mlp.");
    for (uint32_t e = 0; e < s.experts; ++e) mlp(fmt::format("{}mlp.experts.{}.", at, e));
    if (s.experts == 0) continue;
    all.push_back({at + "mlp.gate.weight", s.experts, s.hidden, 0.03f, 0});
    all.push_back({at + "self_attn.q_norm.weight", 0, s.hidden, 0.05f, 1});
    all.push_back({at + "self_attn.k_norm.weight", 0, s.kv_heads * width, 0.05f, 1});
  }
  return all;
}

std::vector<Tensor> encoder_tensors(const Shape& s) {
  std::vector<Tensor> all = {{"embeddings.word_embeddings.weight", s.vocabulary, s.hidden, 0.02f, 0},
                             {"embeddings.position_embeddings.weight", s.positions, s.hidden, 0.02f, 0},
                             {"embeddings.token_type_embeddings.weight", 2, s.hidden, 0.02f, 0}};
  auto norm = [&](const std::string& at) {
    all.push_back({at + ".weight", 0, s.hidden, 0.05f, 1});
    all.push_back({at + ".bias", 0, s.hidden, 0.02f, 0});
  };
  auto linear = [&](const std::string& at, uint64_t rows, uint64_t columns) {
    all.push_back({at + ".weight", rows, columns, 0.03f, 0});
    all.push_back({at + ".bias", 0, rows, 0.02f, 0});
  };
  norm("embeddings.LayerNorm");
  for (uint32_t i = 0; i < s.layers; ++i) {
    std::string at = fmt::format("encoder.layer.{}.", i);
    for (const char* part : {"query", "key", "value"}) linear(at + "attention.self." + part, s.hidden, s.hidden);
    linear(at + "attention.output.dense", s.hidden, s.hidden);
    norm(at + "attention.output.LayerNorm");
    linear(at + "intermediate.dense", s.inner, s.hidden);
    linear(at + "output.dense", s.hidden, s.inner);
    norm(at + "output.LayerNorm");
  }
  linear("pooler.dense", s.hidden, s.hidden);
  return all;
}

std::string config(const Shape& s) {
  if (!s.decoder)
    return fmt::format("{{\"model_type\":\"bert\",\"architectures\":[\"BertModel\"],\"hidden_size\":{},\"num_hidden_layers\":{},"
                       "\"num_attention_heads\":{},\"intermediate_size\":{},\"vocab_size\":{},\"max_position_embeddings\":{},"
                       "\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-12,\"type_vocab_size\":2,\"pad_token_id\":0}}\n",
                       s.hidden, s.layers, s.heads, s.inner, s.vocabulary, s.positions);
  const char* type = s.experts ? "olmoe" : s.query_bias ? "qwen2" : "llama";
  const char* saved = s.experts ? "OlmoeForCausalLM" : s.query_bias ? "Qwen2ForCausalLM" : "LlamaForCausalLM";
  const std::string experts = s.experts ? fmt::format("\"num_experts\":{},\"num_experts_per_tok\":8,", s.experts) : "";
  return fmt::format("{{\"model_type\":\"{}\",\"architectures\":[\"{}\"],{}\"hidden_size\":{},\"num_hidden_layers\":{},"
                     "\"num_attention_heads\":{},\"num_key_value_heads\":{},\"intermediate_size\":{},\"vocab_size\":{},"
                     "\"max_position_embeddings\":{},\"hidden_act\":\"silu\",\"rms_norm_eps\":1e-5,\"rope_theta\":10000.0,"
                     "\"tie_word_embeddings\":true,\"bos_token_id\":1,\"eos_token_id\":2}}\n",
                     type, saved, experts, s.hidden, s.layers, s.heads,
                     s.kv_heads, s.inner, s.vocabulary, s.positions);
}

// Sums of four uniform numbers are near enough to a normal distribution and quick to make.
class Random {
 public:
  float normal() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>((state_ >> (16 * i)) & 0xffff);
    return (sum - 131070.0f) * (1.7320508f / 65535.0f);
  }

 private:
  uint64_t state_ = 88172645463325252u;
};

bool write_tensors(const std::vector<Tensor>& tensors, const std::string& path) {
  std::string header = "{";
  uint64_t offset = 0;
  for (const Tensor& t : tensors) {
    uint64_t bytes = std::max<uint64_t>(t.rows, 1) * t.columns * 2;
    std::string shape = t.rows ? fmt::format("[{},{}]", t.rows, t.columns) : fmt::format("[{}]", t.columns);
    header += fmt::format("{}\"{}\":{{\"dtype\":\"BF16\",\"shape\":{},\"data_offsets\":[{},{}]}}", offset ? "," : "", t.name, shape, offset, offset + bytes);
    offset += bytes;
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) return false;
  uint64_t length = header.size();
  std::fwrite(&length, 8, 1, file);
  std::fwrite(header.data(), 1, header.size(), file);
  Random random;
  std::vector<uint16_t> row;
  for (const Tensor& t : tensors) {
    row.resize(t.columns);
    for (uint64_t r = 0; r < std::max<uint64_t>(t.rows, 1); ++r) {
      for (uint16_t& value : row) value = linnet::core::bfloat16_from_float(t.centre + t.spread * random.normal());
      std::fwrite(row.data(), 2, row.size(), file);
    }
  }
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_synthetic NAME FOLDER\nNAME:");
    for (const Shape& shape : kShapes) fmt::print(stderr, " {}", shape.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  for (const Shape& shape : kShapes) {
    if (std::strcmp(shape.name, argv[1]) != 0) continue;
    std::string folder = argv[2];
    mkdir(folder.c_str(), 0777);
    std::FILE* file = std::fopen((folder + "/config.json").c_str(), "w");
    if (!file || std::fputs(config(shape).c_str(), file) < 0 || std::fclose(file) != 0 ||
        !write_tensors(shape.decoder ? decoder_tensors(shape) : encoder_tensors(shape), folder + "/model.safetensors")) {
      fmt::print(stderr, "bench_synthetic: cannot write to {}\n", folder);
      return 1;
    }
    return 0;
  }
  fmt::print(stderr, "bench_synthetic: there is no shape '{}'\n", argv[1]);
  return 2;
}
