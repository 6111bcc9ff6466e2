// Encoders' attention written pair by pair, and three texts of one batch through a converted model and through the oracle.
#pragma once

#include <random>

#include "convert/converted.h"
#include "convert/encoder_oracle.h"

namespace linnet::oracle {

/// term: added to the product of query i and key j before `scale`, for head a.
inline Rows attention_of_pairs(const Rows& q, const Rows& k, const Rows& v, size_t heads, double scale,
                               const std::function<bool(size_t i, size_t j)>& sees,
                               const std::function<double(size_t i, size_t j, size_t a)>& term) {
  const size_t width = q[0].size() / heads;
  Rows out(q.size(), Vector(q[0].size(), 0.0));
  for (size_t a = 0; a < heads; ++a)
    for (size_t i = 0; i < q.size(); ++i) {
      Vector scores(k.size(), -INFINITY);
      for (size_t j = 0; j < k.size(); ++j) {
        if (!sees(i, j)) continue;
        scores[j] = term(i, j, a);
        for (size_t c = a * width; c < (a + 1) * width; ++c) scores[j] += q[i][c] * k[j][c];
        scores[j] *= scale;
      }
      const double top = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - top);
      for (size_t j = 0; j < k.size(); ++j)
        for (size_t c = a * width; c < (a + 1) * width; ++c) out[i][c] += scores[j] / sum * v[j][c];
    }
  return out;
}

struct EncoderTexts {
  std::vector<std::vector<int32_t>> ids, types, globals;  // globals: empty = none are given
};

/// Of different lengths, the padding id among them.
inline EncoderTexts encoder_texts(const EncoderShape& s, const std::vector<size_t>& lengths) {
  EncoderTexts all;
  for (size_t count : lengths) {
    all.ids.push_back(tests::tokens(count, static_cast<int32_t>(s.vocabulary), 3 + static_cast<uint32_t>(count)));
    if (count > 4) all.ids.back()[3] = s.padding;
    all.types.push_back(tests::tokens(count, static_cast<int32_t>(std::max<size_t>(1, s.types)), 5));
  }
  return all;
}

using EncoderOutputs = std::map<std::string, std::vector<float>>;

/// All texts in one run: none may see another.
inline EncoderOutputs run_encoder(const Model& model, const EncoderTexts& texts, uint32_t threads = 1) {
  uint32_t longest = 0, total = 0;
  for (const auto& ids : texts.ids) longest = std::max(longest, uint32_t(ids.size())), total += uint32_t(ids.size());
  Session session = tests::opened(
      model, {.context = longest, .batch_tokens = total, .sequences = uint32_t(texts.ids.size()), .outputs = total, .threads = threads});
  std::vector<Input> inputs;
  for (size_t i = 0; i < texts.ids.size(); ++i) {
    inputs.push_back({.tokens = texts.ids[i], .token_types = texts.types[i]});
    if (!texts.globals.empty()) inputs.back().global_tokens = texts.globals[i];
  }
  tests::must(session.run("encode", inputs, {.outputs = RunOptions::Outputs::all}));
  EncoderOutputs all;
  for (size_t i = 0; i < model.program(0).outputs; ++i) {
    const std::string name(model.output(0, i).name);
    all[name] = tests::output(session, name);
  }
  return all;
}

/// attend(layer's name, x, text number): that layer's attention.
inline std::map<std::string, Vector> expected_of(const Tensors& t, const EncoderShape& s, const EncoderTexts& texts,
                                                 const std::function<Rows(const std::string&, const Rows&, size_t)>& attend) {
  std::map<std::string, Vector> all;
  for (size_t i = 0; i < texts.ids.size(); ++i) {
    const auto outputs =
        encoder(t, s, texts.ids[i], texts.types[i], [&](const std::string& layer, const Rows& x) { return attend(layer, x, i); });
    for (const auto& [name, rows] : outputs) {
      const Vector numbers = flat(rows);
      all[name].insert(all[name].end(), numbers.begin(), numbers.end());
    }
  }
  return all;
}

/// f32 within rounding, f16 and int8 near, for every output.
inline void check_encoder(const convert::FakeCheckpoint& checkpoint, const std::map<std::string, Vector>& wanted,
                          const EncoderTexts& texts) {
  const EncoderOutputs plain = run_encoder(converted(checkpoint, weights("f32")), texts),
                       half = run_encoder(converted(checkpoint, weights("f16")), texts, 2),
                       rounded = run_encoder(converted(checkpoint, weights("int8")), texts);
  CAPTURE(checkpoint.Checkpoint::config().dump());
  CHECK(plain.size() == wanted.size());
  for (const auto& [name, numbers] : wanted) {
    const auto& of_name = name;
    CAPTURE(of_name);
    CHECK(error(plain.at(name), numbers) < 1e-4);
    CHECK(distance(half.at(name), numbers) < 0.01);
    CHECK(distance(rounded.at(name), numbers) < 0.15);
  }
}

}  // namespace linnet::oracle
