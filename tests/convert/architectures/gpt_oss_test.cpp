// gpt-oss beside the formulas, and its experts in each of the ways in which they are stored.
#include <doctest/doctest.h>

#include <numeric>

#include "convert/architectures/decoder_oracle.h"
#include "convert/conversion.h"

using namespace linnet;
using namespace linnet::oracle;
using convert::FakeCheckpoint;
using convert::Json;

namespace {

constexpr size_t kHidden = 64, kHeads = 4, kKvHeads = 2, kWidth = 16, kInner = 32, kWords = 41, kLayers = 3, kExperts = 4, kChosen = 2;
constexpr size_t kWindow = 5;
constexpr float kValues[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};

std::string layer_name(size_t i) { return "model.layers." + std::to_string(i) + "."; }

/// Four-bit floats: nibbles of `rows` x `columns` and an exponent for each 32 columns.
struct Blocks {
  std::vector<float> bytes, exponents, numbers;
  Blocks(size_t rows, size_t columns, uint32_t seed) {
    std::mt19937 random(seed);
    for (size_t i = 0; i < rows * columns; ++i) {
      if (i % 32 == 0) exponents.push_back(static_cast<float>(121 + random() % 4));
      const auto nibble = random() % 16;
      numbers.push_back(std::ldexp(kValues[nibble], static_cast<int>(exponents.back()) - 127));
      if (i % 2 == 0)
        bytes.push_back(static_cast<float>(nibble));
      else
        bytes.back() += static_cast<float>(16 * nibble);
    }
  }
};

Blocks gate_up_of(size_t layer) { return {kExperts * 2 * kInner, kHidden, 100 + static_cast<uint32_t>(layer)}; }
Blocks down_of(size_t layer) { return {kExperts * kHidden, kInner, 200 + static_cast<uint32_t>(layer)}; }

FakeCheckpoint checkpoint(bool in_blocks, const Json& changes = Json::object()) {
  Json config = {{"model_type", "gpt_oss"},         {"vocab_size", kWords},
                 {"hidden_size", kHidden},          {"num_attention_heads", kHeads},
                 {"num_key_value_heads", kKvHeads}, {"head_dim", kWidth},
                 {"num_hidden_layers", kLayers},    {"intermediate_size", kInner},
                 {"num_local_experts", kExperts},   {"num_experts_per_tok", kChosen},
                 {"sliding_window", kWindow},       {"max_position_embeddings", 128},
                 {"tie_word_embeddings", true}};
  config.update(changes);
  if (in_blocks) config["quantization_config"] = {{"quant_method", "mxfp4"}};
  FakeCheckpoint c(config);
  Filler w(c, 23);
  w.table("model.embed_tokens", kWords, kHidden), w.scale("model.norm", kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_name(i), attn = name + "self_attn.", experts = name + "mlp.experts.";
    w.scale(name + "input_layernorm", kHidden), w.scale(name + "post_attention_layernorm", kHidden);
    w.matrix(attn + "q_proj", kHeads * kWidth, kHidden, true), w.matrix(attn + "k_proj", kKvHeads * kWidth, kHidden, true);
    w.matrix(attn + "v_proj", kKvHeads * kWidth, kHidden, true), w.matrix(attn + "o_proj", kHidden, kHeads * kWidth, true);
    c.put(attn + "sinks", {kHeads}, w.w.around(0.5f, kHeads));
    w.matrix(name + "mlp.router", kExperts, kHidden, true);
    c.put(experts + "gate_up_proj_bias", {kExperts, 2 * kInner}, w.w.around(0, kExperts * 2 * kInner));
    c.put(experts + "down_proj_bias", {kExperts, kHidden}, w.w.around(0, kExperts * kHidden));
    const auto put = [&](const std::string& tensor, const Blocks& blocks, size_t rows, size_t columns) {
      if (in_blocks) {
        c.put_bytes(tensor + "_blocks", {kExperts, rows, columns / 32, 16}, blocks.bytes);
        c.put_bytes(tensor + "_scales", {kExperts, rows, columns / 32}, blocks.exponents);
        return;
      }
      std::vector<float> in_out(blocks.numbers.size());
      for (size_t e = 0; e < kExperts; ++e)
        for (size_t r = 0; r < rows; ++r)
          for (size_t k = 0; k < columns; ++k) in_out[(e * columns + k) * rows + r] = blocks.numbers[(e * rows + r) * columns + k];
      c.put(tensor, {kExperts, columns, rows}, in_out);
    };
    put(experts + "gate_up_proj", gate_up_of(i), 2 * kInner, kHidden);
    put(experts + "down_proj", down_of(i), kHidden, kInner);
  }
  return c;
}

Vector expert(const Tensors& t, const Vector& x, size_t layer, size_t e, double limit) {
  const Blocks gate_up = gate_up_of(layer), down = down_of(layer);
  const std::string experts = layer_name(layer) + "mlp.experts.";
  const Vector up_bias = tensor(t, experts + "gate_up_proj_bias"), down_bias = tensor(t, experts + "down_proj_bias");
  Vector u, h, y;
  for (size_t r = e * 2 * kInner; r < (e + 1) * 2 * kInner; ++r) {
    u.push_back(up_bias[r]);
    for (size_t k = 0; k < kHidden; ++k) u.back() += gate_up.numbers[r * kHidden + k] * x[k];
  }
  for (size_t i = 0; i < kInner; ++i) {
    const double gate = std::min(u[2 * i], limit), up = std::clamp(u[2 * i + 1], -limit, limit);
    h.push_back((up + 1) * gate / (1 + std::exp(-1.702 * gate)));
  }
  for (size_t r = e * kHidden; r < (e + 1) * kHidden; ++r) {
    y.push_back(down_bias[r]);
    for (size_t i = 0; i < kInner; ++i) y.back() += down.numbers[r * kInner + i] * h[i];
  }
  return y;
}

Rows experts(const Tensors& t, const Rows& x, size_t layer, double limit) {
  const Rows scores = dense(t, x, layer_name(layer) + "mlp.router");
  Rows out;
  for (size_t r = 0; r < x.size(); ++r) {
    std::vector<size_t> order(kExperts);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[r][a] > scores[r][b]; });
    double sum = 0;
    for (size_t k = 0; k < kChosen; ++k) sum += std::exp(scores[r][order[k]]);
    Rows row = {Vector(kHidden, 0.0)};
    for (size_t k = 0; k < kChosen; ++k)
      row = add(row, times({expert(t, x[r], layer, order[k], limit)}, std::exp(scores[r][order[k]]) / sum));
    out.push_back(row[0]);
  }
  return out;
}

Rows decoder(const Tensors& t, const std::vector<int32_t>& ids, double limit, const std::vector<size_t>& windows) {
  const auto norm = [&](const Rows& x, const std::string& name) { return root_mean(t, x, name, 1e-5); };
  Rows x = embedded(t, "model.embed_tokens.weight", ids, kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_name(i), attn = name + "self_attn.";
    Rows h = norm(x, name + "input_layernorm");
    const Rows q = turn(dense(t, h, attn + "q_proj"), kWidth, kWidth, 150000),
               k = turn(dense(t, h, attn + "k_proj"), kWidth, kWidth, 150000);
    const Look looking = {kHeads, kKvHeads, kWidth, 0, windows[i], 0, {}, tensor(t, attn + "sinks")};
    x = add(x, dense(t, look(q, k, dense(t, h, attn + "v_proj"), looking), attn + "o_proj"));
    h = norm(x, name + "post_attention_layernorm");
    x = add(x, experts(t, h, i, limit));
  }
  return linear(t, norm(x, "model.norm"), "model.embed_tokens.weight", "");
}

const std::vector<int32_t> kIds = tests::tokens(33, kWords);

std::vector<float> logits_of(const FakeCheckpoint& c, const convert::Options& options) { return run_decoder(converted(c, options), kIds); }

size_t tensors_as(const Model& model, schema::Encoding encoding, const char* part) {
  size_t count = 0;
  for (const format::Tensor& tensor : model.file().tensors())
    count += tensor.encoding == encoding && tensor.name.find(part) != std::string_view::npos;
  return count;
}

}  // namespace

TEST_CASE("gpt-oss has sinks, a window in every other layer, and experts with interleaved and clipped gates") {
  for (double limit : {7.0, 0.5}) {
    const Json changes = limit == 7 ? Json::object() : Json{{"swiglu_limit", limit}};
    CHECK(error_of(checkpoint(false, changes), kIds, [&](const Tensors& t, const auto& ids) {
            return decoder(t, ids, limit, {kWindow, 0, kWindow});
          }) < 1e-4);
  }
  const Json listed = {{"layer_types", {"full_attention", "sliding_attention", "full_attention"}}};
  CHECK(error_of(checkpoint(false, listed), kIds, [&](const Tensors& t, const auto& ids) {
          return decoder(t, ids, 7, {0, kWindow, 0});
        }) < 1e-4);
}

TEST_CASE("experts in four-bit blocks answer as the same numbers unpacked") {
  CHECK(logits_of(checkpoint(true), weights("f32")) == logits_of(checkpoint(false), weights("f32")));
}

TEST_CASE("published blocks are kept as they are where weights are rounded, unless another encoding is asked for") {
  for (const char* encoding : {"int8", "int4", "mxfp4"}) {
    const Model model = converted(checkpoint(true), weights(encoding));
    CHECK(tensors_as(model, schema::Encoding::mxfp4, "experts.") == 2 * kLayers);
    // The same numbers, unpacked, make the same blocks again.
    convert::Options same = weights(encoding);
    same.overrides = {{"*experts*", "mxfp4"}};
    same.turn = false;
    convert::Options plain = weights(encoding);
    plain.turn = false;
    CHECK(logits_of(checkpoint(false), same) == logits_of(checkpoint(true), plain));
  }
  convert::Options other = weights("int8");
  other.overrides = {{"*down_proj", "int4"}};
  const Model model = converted(checkpoint(true), other);
  CHECK(tensors_as(model, schema::Encoding::mxfp4, "experts.") == kLayers);
  CHECK(tensors_as(model, schema::Encoding::int4, "experts.down_proj") == kLayers);
}

TEST_CASE("blocks that do not fit are refused by name") {
  const auto refused = [](FakeCheckpoint c, const char* part) {
    const convert::CheckpointFolder folder("gpt-oss-refusal");
    folder.write(c);
    const std::string text = convert::refusal(folder);
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  const std::string down = "model.layers.1.mlp.experts.down_proj";
  FakeCheckpoint c = checkpoint(true);
  refused(c.put_bytes(down + "_scales", {kExperts, kHidden, 2}, std::vector<float>(kExperts * kHidden * 2, 120)),
          "bytes of [..., groups, 16]");
  c = checkpoint(true);
  refused(c.put_bytes(down + "_scales", {kExperts, kHidden, 1}, std::vector<float>(kExperts * kHidden, 255)), "stands for no number");
  c = checkpoint(true);
  refused(c.put_bytes("model.layers.0.mlp.lonely_blocks", {1, 1, 16}, std::vector<float>(16, 0)), "lonely_blocks has no");
  refused(checkpoint(false, {{"swiglu_limit", 0}}), "swiglu_limit is 0");
  refused(checkpoint(false, {{"intermediate_size", kInner + 1}}), "intermediate_size is 33, expected 32");
  c = checkpoint(false);
  refused(c.put("model.layers.0.mlp.experts.gate_up_proj_bias", {kExperts, 2 * kInner - 1}), "has 252 values, expected 4 x 64");
  c = checkpoint(false);
  refused(c.put("model.layers.0.mlp.experts.down_proj_bias", {kExperts, kHidden - 1}), "are 252, expected 4 x 64");
}
