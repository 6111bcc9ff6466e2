// ModernBERT with every head, both spellings of its rotary bases and all its biases, against the formulas in double precision.
#include <doctest/doctest.h>

#include "convert/conversion.h"
#include "convert/encoder_run.h"

using namespace linnet;
using namespace linnet::oracle;

namespace {

constexpr size_t kHidden = 24, kHeads = 2, kWidth = 12, kIntermediate = 20, kVocabulary = 30, kLayers = 4, kLabels = 3;

struct Options {
  bool biases = false;  // norm_bias, attention_bias, mlp_bias, classifier_bias
  std::string pooling = "cls";
  Json more = Json::object();
  double far = 160000, near = 10000;
  size_t window = 4;
  std::vector<bool> sees_all = {true, false, false, true};
};

convert::FakeCheckpoint checkpoint_of(const std::string& saved, const Options& o) {
  convert::FakeCheckpoint c({{"model_type", "modernbert"},
                             {"architectures", {"ModernBert" + saved}},
                             {"hidden_size", kHidden},
                             {"num_hidden_layers", kLayers},
                             {"num_attention_heads", kHeads},
                             {"intermediate_size", kIntermediate},
                             {"vocab_size", kVocabulary},
                             {"max_position_embeddings", 64},
                             {"local_attention", 2 * o.window},
                             {"norm_bias", o.biases},
                             {"attention_bias", o.biases},
                             {"mlp_bias", o.biases},
                             {"classifier_bias", o.biases},
                             {"classifier_pooling", o.pooling}});
  c.config().update(o.more);
  Filler fill{c, tests::Weights(41)};
  const auto linear = [&](const std::string& name, size_t rows, size_t columns) {
    o.biases ? fill.linear(name, rows, columns) : fill.matrix(name, rows, columns);
  };
  const auto norm = [&](const std::string& name) {
    c.put(name + ".weight", {kHidden}, fill.weights.around(1, kHidden));
    if (o.biases) c.put(name + ".bias", {kHidden}, fill.weights.around(0, kHidden));
  };
  const std::string body = saved == "Model" ? "" : "model.";
  fill.matrix(body + "embeddings.tok_embeddings", kVocabulary, kHidden);
  norm(body + "embeddings.norm");
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string layer = body + "layers." + std::to_string(i) + ".";
    if (i > 0) norm(layer + "attn_norm");
    linear(layer + "attn.Wqkv", 3 * kHidden, kHidden);
    linear(layer + "attn.Wo", kHidden, kHidden);
    norm(layer + "mlp_norm");
    linear(layer + "mlp.Wi", 2 * kIntermediate, kHidden);
    linear(layer + "mlp.Wo", kHidden, kIntermediate);
  }
  norm(body + "final_norm");
  if (saved == "Model") return c;
  linear("head.dense", kHidden, kHidden);
  norm("head.norm");
  if (saved == "ForMaskedLM")
    c.put("decoder.bias", {kVocabulary}, fill.weights.around(0, kVocabulary));
  else
    fill.linear("classifier", saved == "ForQuestionAnswering" ? 2 : kLabels, kHidden);
  return c;
}

Rows rotated(Rows x, double base) {
  for (size_t p = 0; p < x.size(); ++p)
    for (size_t head = 0; head < kHeads; ++head)
      for (size_t i = 0; i < kWidth / 2; ++i) {
        const double angle = double(p) * std::pow(base, -2.0 * double(i) / double(kWidth));
        double &a = x[p][head * kWidth + i], &b = x[p][head * kWidth + i + kWidth / 2];
        const double before = a;
        a = before * std::cos(angle) - b * std::sin(angle);
        b = b * std::cos(angle) + before * std::sin(angle);
      }
  return x;
}

Rows columns(const Rows& x, size_t first, size_t count) {
  Rows part;
  for (const Vector& row : x) part.emplace_back(row.begin() + long(first), row.begin() + long(first + count));
  return part;
}

std::map<std::string, Rows> expected(const Tensors& t, const std::string& saved, const Options& o, const std::vector<int32_t>& ids) {
  const std::string body = saved == "Model" ? "" : "model.";
  const auto project = [&](const Rows& x, const std::string& name) {
    return linear(t, x, name + ".weight", t.count(name + ".bias") ? name + ".bias" : "");
  };
  const auto norm = [&](const Rows& x, const std::string& name) {
    Tensors named = {{"n.weight", t.at(name + ".weight")}, {"n.bias", std::vector<float>(kHidden)}};
    if (o.biases) named["n.bias"] = t.at(name + ".bias");
    return layer_norm(named, x, "n", 1e-5);
  };
  Rows x;
  for (int32_t id : ids) x.push_back(table_row(t, body + "embeddings.tok_embeddings.weight", size_t(id), kHidden));
  x = norm(x, body + "embeddings.norm");
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string layer = body + "layers." + std::to_string(i) + ".";
    const Rows fused = project(i == 0 ? x : norm(x, layer + "attn_norm"), layer + "attn.Wqkv");
    const double base = o.sees_all[i] ? o.far : o.near;
    const Rows a = attention_of_pairs(
        rotated(columns(fused, 0, kHidden), base), rotated(columns(fused, kHidden, kHidden), base), columns(fused, 2 * kHidden, kHidden),
        kHeads, 1 / std::sqrt(double(kWidth)),
        [&](size_t p, size_t q) { return o.sees_all[i] || (p + o.window >= q && p <= q + o.window); },
        [](size_t, size_t, size_t) { return 0.0; });
    x = add(x, project(a, layer + "attn.Wo"));
    const Rows both = project(norm(x, layer + "mlp_norm"), layer + "mlp.Wi");
    Rows u = activate("gelu", columns(both, 0, kIntermediate));
    for (size_t r = 0; r < u.size(); ++r)
      for (size_t c = 0; c < kIntermediate; ++c) u[r][c] *= both[r][kIntermediate + c];
    x = add(x, project(u, layer + "mlp.Wo"));
  }
  x = norm(x, body + "final_norm");
  std::map<std::string, Rows> out = {{"last_hidden_state", x}};
  if (saved == "Model") return out;
  Rows y = x;
  if (saved == "ForSequenceClassification") {
    y = {x[0]};
    for (size_t c = 0; c < kHidden && o.pooling == "mean"; ++c) {
      y[0][c] = 0;
      for (const Vector& row : x) y[0][c] += row[c] / double(x.size());
    }
  }
  y = norm(activate("gelu", project(y, "head.dense")), "head.norm");
  if (saved == "ForMaskedLM") out["logits"] = linear(t, y, body + "embeddings.tok_embeddings.weight", "decoder.bias");
  if (saved == "ForSequenceClassification" || saved == "ForTokenClassification") out["logits"] = project(y, "classifier");
  if (saved == "ForQuestionAnswering")
    for (const Vector& row : project(y, "classifier")) out["start_logits"].push_back({row[0]}), out["end_logits"].push_back({row[1]});
  return out;
}

void check(const std::string& saved, const Options& o) {
  const convert::FakeCheckpoint checkpoint = checkpoint_of(saved, o);
  EncoderTexts texts = encoder_texts({.vocabulary = kVocabulary}, {11, 1, 40});
  const Tensors tensors = tensors_of(checkpoint);
  std::map<std::string, Vector> all;
  for (const std::vector<int32_t>& ids : texts.ids)
    for (const auto& [name, rows] : expected(tensors, saved, o, ids)) {
      const Vector numbers = flat(rows);
      all[name].insert(all[name].end(), numbers.begin(), numbers.end());
    }
  check_encoder(checkpoint, all, texts);
}

}  // namespace

TEST_CASE("ModernBERT computes what the formulas say with each of its heads") {
  for (const char* saved : {"Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"})
    check(saved, {});
}

TEST_CASE("ModernBERT's biases, pooling, layers and rotary bases are as the configuration says, in both spellings") {
  check("ForMaskedLM", {.biases = true});
  check("ForSequenceClassification", {.pooling = "mean"});
  check("ForTokenClassification", {.more = {{"global_rope_theta", 500}, {"local_rope_theta", 80}}, .far = 500, .near = 80});
  check("ForTokenClassification", {.more = {{"global_attn_every_n_layers", 2}}, .sees_all = {true, false, true, false}});
  const Json types = {"sliding_attention", "full_attention", "full_attention", "sliding_attention"};
  const Json both = {{"full_attention", {{"rope_type", "default"}, {"rope_theta", 700}}}, {"sliding_attention", {{"rope_theta", 90}}}};
  check("ForMaskedLM", {.more = {{"layer_types", types}, {"rope_parameters", both}},
                        .far = 700,
                        .near = 90,
                        .window = 6,
                        .sees_all = {false, true, true, false}});
}

TEST_CASE("what is not computed of ModernBERT is refused by name") {
  const auto refused = [](const Json& more) {
    convert::CheckpointFolder folder("modernbert");
    folder.write(checkpoint_of("ForMaskedLM", {.more = more}));
    return convert::refusal(folder);
  };
  CHECK(refused(Json::object()) == "");
  CHECK(refused({{"classifier_pooling", "max"}}).find("classifier_pooling is \"max\"") != std::string::npos);
  CHECK(refused({{"layer_types", {"full_attention"}}}).find("layer_types") != std::string::npos);
  CHECK(refused({{"layer_types", {"full_attention", "full_attention", "full_attention", "chunked_attention"}}}).find("layer_types") !=
        std::string::npos);
  CHECK(refused({{"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}).find("rope_scaling") != std::string::npos);
  CHECK(refused({{"rope_parameters", {{"rope_theta", 5}}}}).find("rope_parameters") != std::string::npos);
  CHECK(refused({{"decoder_bias", false}}) == "");
  CHECK(refused({{"local_attention", 1}}).find("local_attention is 1") != std::string::npos);
}
