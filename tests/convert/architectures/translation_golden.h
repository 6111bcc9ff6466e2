// Golden cases of encoder-decoders (shared/goldens): what the encoder gives, the logits of every token, and the ids of greedy writing.
#pragma once

#include "convert/converted.h"
#include "convert/golden_case.h"
#include "linnet/generate.h"

namespace linnet::convert {

inline Model converted_case(const GoldenCase& one, const std::string& weights) {
  const TemporaryFile file(one.folder.filename().string() + "-" + weights + ".linnet");
  Options options;
  options.weights = weights;
  convert(one.folder.string(), file.path, options);
  return tests::must(Model::open(file.path.c_str(), {.map = false}));
}

/// Encoder output and logits of one row of the inputs whose names begin with `prefix`, without its padding.
struct Translated {
  std::vector<float> encoded, logits;
};

inline std::vector<int32_t> row_of(const GoldenTensor& tensor, size_t row) {
  const size_t columns = tensor.shape.back();
  return {tensor.whole.begin() + static_cast<long>(row * columns), tensor.whole.begin() + static_cast<long>((row + 1) * columns)};
}

inline std::vector<int32_t> source_of(const GoldenCase& one, const std::string& prefix, size_t row) {
  std::vector<int32_t> ids = row_of(one.tensors.at(prefix + "input_ids"), row), kept;
  const std::vector<int32_t> mask = row_of(one.tensors.at(prefix + "attention_mask"), row);
  for (size_t i = 0; i < ids.size(); ++i)
    if (mask[i]) kept.push_back(ids[i]);
  return kept;
}

inline Translated translated(const Model& model, const GoldenCase& one, const std::string& prefix, size_t row, size_t chunk) {
  const std::vector<int32_t> source = source_of(one, prefix, row), text = row_of(one.tensors.at(prefix + "decoder_input_ids"), row);
  const auto count = static_cast<uint32_t>(text.size());
  Session session = tests::opened(
      model,
      {.context = count, .batch_tokens = count, .outputs = count, .source_tokens = static_cast<uint32_t>(source.size()), .threads = 2});
  const SequenceId sequence = tests::must(session.add());
  tests::must(session.prefill("encode", {.sequence = sequence, .tokens = source}));
  Translated all{tests::output(session, "encoder_last_hidden_state"), {}};
  for (size_t at = 0; at < text.size(); at += chunk) {
    const Input input{.sequence = sequence, .tokens = std::span(text).subspan(at, std::min(chunk, text.size() - at))};
    tests::must(session.run("decode", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
    const std::vector<float> part = tests::output(session);
    all.logits.insert(all.logits.end(), part.begin(), part.end());
  }
  return all;
}

inline double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += double{a[i]} * b[i], aa += double{a[i]} * a[i], bb += double{b[i]} * b[i];
  return dot / std::sqrt(aa * bb);
}

/// Runs the cases whose names begin with `prefixes`. `weights`: what is converted to besides f32.
inline void check_translation_goldens(const std::vector<std::string>& prefixes) {
  const auto folders = golden_folders(prefixes);
  if (folders.empty()) MESSAGE("skipped: ../shared/goldens is not there");
  for (const auto& folder : folders) {
    const GoldenCase one(folder);
    CAPTURE(folder.filename().string());
    const Model model = converted_case(one, "f32");
    for (const std::string prefix : {"", "batch_"}) {
      const GoldenTensor& want = one.tensors.at(prefix + "logits");
      const size_t rows = want.shape[0], numbers = want.floats.size() / rows;
      const double most = *std::max_element(want.floats.begin(), want.floats.end());
      const double tolerance = std::max(one.description["tolerance_f32"]["max_abs"].get<double>(), 1e-4 * most);
      for (size_t row = 0; row < rows; ++row) {
        const Translated got = translated(model, one, prefix, row, SIZE_MAX);
        REQUIRE(got.logits.size() == numbers);
        double worst = 0;
        for (size_t i = 0; i < numbers; ++i) worst = std::max(worst, std::fabs(double{got.logits[i]} - want.floats[row * numbers + i]));
        CHECK(worst <= tolerance);
        CHECK(tests::same_bytes(translated(model, one, prefix, row, 3).logits, got.logits));
        // What an encoder makes of padded places is nobody's affair.
        const GoldenTensor& encoded = one.tensors.at(prefix + "encoder_last_hidden_state");
        const float* first = encoded.floats.data() + row * (encoded.floats.size() / rows);
        worst = 0;
        for (size_t i = 0; i < got.encoded.size(); ++i) worst = std::max(worst, std::fabs(double{got.encoded[i]} - first[i]));
        CHECK(worst <= tolerance);
        for (const auto& [weights, kind, factor, more] : {std::tuple{"int8", "q8_0", 3, 2e-4}, {"int4", "q4_0", 2, 2e-3}})
          CHECK(cosine(translated(converted_case(one, weights), one, prefix, row, SIZE_MAX).logits,
                       {want.floats.begin() + static_cast<long>(row * numbers),
                        want.floats.begin() + static_cast<long>((row + 1) * numbers)}) >= 1 - (factor * one.loss(kind) + more));
      }
    }
    const std::vector<int32_t> source = source_of(one, "", 0), start = {row_of(one.tensors.at("decoder_input_ids"), 0)[0]};
    const std::vector<int32_t>& greedy = one.tensors.at("greedy_ids").whole;
    Session session = tests::opened(model, {.context = static_cast<uint32_t>(greedy.size()) + 1, .threads = 1});
    Generator writer =
        tests::must(Generator::create(session, model, {.max_tokens = static_cast<uint32_t>(greedy.size()), .ignore_eos = true}));
    tests::must(writer.add({.prompt = start, .source = source}));
    tests::must(writer.run());
    CHECK(std::vector<int32_t>(writer.ids(0).begin(), writer.ids(0).end()) == greedy);
  }
}

}  // namespace linnet::convert
