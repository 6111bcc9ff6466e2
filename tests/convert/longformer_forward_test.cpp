// Longformer with every head, windows by layer and global tokens anywhere, against the formulas in double precision.
#include <doctest/doctest.h>

#include "convert/conversion.h"
#include "convert/encoder_run.h"

using namespace linnet;
using namespace linnet::oracle;

namespace {

std::map<std::string, Vector> expected(const Tensors& t, const EncoderShape& s, const std::vector<size_t>& windows,
                                       const EncoderTexts& texts, const std::vector<std::vector<int32_t>>& globals) {
  return expected_of(t, s, texts, [&](const std::string& layer, const Rows& x, size_t text) {
    const auto project = [&](const std::string& name) {
      const std::string full = layer + "attention.self." + name;
      return linear(t, x, full + ".weight", full + ".bias");
    };
    const size_t number = layer[layer.size() - 2] - size_t{'0'};
    const size_t side = windows[number] / 2;
    const std::vector<int32_t>& global = globals[text];
    const double scale = 1 / std::sqrt(double(s.hidden / s.heads));
    const auto nothing = [](size_t, size_t, size_t) { return 0.0; };
    const Rows local = attention_of_pairs(
        project("query"), project("key"), project("value"), s.heads, scale,
        [&](size_t i, size_t j) { return global[j] == 1 || (j + side >= i && j <= i + side); }, nothing);
    const Rows whole = attention_of_pairs(
        project("query_global"), project("key_global"), project("value_global"), s.heads, scale, [](size_t, size_t) { return true; },
        nothing);
    Rows out = local;
    for (size_t i = 0; i < out.size(); ++i)
      if (global[i] == 1) out[i] = whole[i];
    return out;
  });
}

convert::FakeCheckpoint checkpoint_of(const EncoderShape& s) {
  return encoder_checkpoint(s, 31, [&](Filler& fill, const std::string& layer) {
    for (const char* name : {"query_global", "key_global", "value_global"})
      fill.linear(layer + "attention.self." + name, s.hidden, s.hidden);
  });
}

EncoderShape shape(const std::string& saved, const Json& window) {
  EncoderShape s = {.family = "longformer", .saved = saved, .prefix = saved != "Model", .positions = 160};
  s.more = {{"attention_window", window}, {"sep_token_id", 2}};
  return s;
}

constexpr size_t kLengths[] = {140, 1, 9};

/// About every seventh token of each text.
std::vector<std::vector<int32_t>> scattered() {
  std::vector<std::vector<int32_t>> all;
  for (size_t length : kLengths) {
    all.emplace_back(length);
    for (size_t i = 0; i < length; ++i) all.back()[i] = i % 7 == 2;
  }
  return all;
}

}  // namespace

TEST_CASE("Longformer computes what the formulas say with each of its heads and global tokens anywhere") {
  for (const char* saved : {"Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"}) {
    const EncoderShape s = shape(saved, {6, 20});
    const convert::FakeCheckpoint checkpoint = checkpoint_of(s);
    EncoderTexts texts = encoder_texts(s, {kLengths[0], kLengths[1], kLengths[2]});
    texts.globals = scattered();
    check_encoder(checkpoint, expected(tensors_of(checkpoint), s, {6, 20}, texts, texts.globals), texts);
  }
}

TEST_CASE("where Longformer is not told its global tokens, they are those that the head's reference takes") {
  for (const char* saved : {"ForMaskedLM", "ForSequenceClassification", "ForQuestionAnswering"}) {
    const EncoderShape s = shape(saved, 8);
    const convert::FakeCheckpoint checkpoint = checkpoint_of(s);
    EncoderTexts texts = encoder_texts(s, {kLengths[0], kLengths[1], kLengths[2]});
    for (std::vector<int32_t>& ids : texts.ids) std::replace(ids.begin(), ids.end(), 2, 3);
    texts.ids[0][5] = texts.ids[0][60] = 2;  // the third text has no separator
    std::vector<std::vector<int32_t>> globals;
    for (const std::vector<int32_t>& ids : texts.ids) globals.emplace_back(ids.size(), 0);
    if (std::string(saved) == "ForSequenceClassification")
      for (std::vector<int32_t>& marks : globals) marks[0] = 1;
    if (std::string(saved) == "ForQuestionAnswering") std::fill_n(globals[0].begin(), 5, 1);
    check_encoder(checkpoint, expected(tensors_of(checkpoint), s, {8, 8}, texts, globals), texts);
  }
}

TEST_CASE("a column that is evened out for quantizing is so in the rows of all tokens") {
  EncoderShape s = shape("ForTokenClassification", 6);
  s.layers = 1;
  convert::FakeCheckpoint checkpoint = checkpoint_of(s);
  const std::string name = "longformer.encoder.layer.0.attention.output.dense.weight";
  std::vector<float> dense = checkpoint.read(name);
  for (size_t row = 0; row < s.hidden; ++row) dense[row * s.hidden + 5] *= 0.01f;
  checkpoint.put(name, {s.hidden, s.hidden}, dense);
  EncoderTexts texts = encoder_texts(s, {kLengths[0], kLengths[1], kLengths[2]});
  texts.globals = scattered();
  check_encoder(checkpoint, expected(tensors_of(checkpoint), s, {6}, texts, texts.globals), texts);
}

TEST_CASE("windows that are odd or not one for each layer are refused, and so are wrong marks of global tokens") {
  const auto refused = [](const Json& window) {
    convert::CheckpointFolder folder("longformer");
    folder.write(checkpoint_of(shape("Model", window)));
    return convert::refusal(folder);
  };
  CHECK(refused({4, 6}) == "");
  CHECK(refused({4, 6, 8}).find("attention_window is [4,6,8], expected one number for each") != std::string::npos);
  CHECK(refused(7).find("attention_window is 7, expected even numbers") != std::string::npos);

  const Model model = converted(checkpoint_of(shape("Model", 4)), weights("f32"));
  Session session = tests::opened(model, {.context = 3, .batch_tokens = 3, .threads = 1});
  const std::vector<int32_t> ids = {4, 5, 6}, two = {0, 2, 0}, few = {1, 0};
  Input input{.tokens = ids, .global_tokens = two};
  CHECK(std::string(session.run("encode", {&input, 1}).message()).find("global token 1 is 2") != std::string::npos);
  input.global_tokens = few;
  CHECK(std::string(session.run("encode", {&input, 1}).message()).find("marks 2 global tokens for 3 tokens") != std::string::npos);
}
