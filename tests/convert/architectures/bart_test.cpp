#include <doctest/doctest.h>

#include <cmath>

#include "convert/architectures/small_bart.h"
#include "convert/architectures/translation_golden.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

std::string refusal(const FakeCheckpoint& checkpoint) {
  CheckpointFolder folder("bart");
  folder.write(checkpoint);
  try {
    linnet::convert::convert(folder.path(), folder.path("out.linnet"), {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("BART gives what the reference gives, at every number of bits") { check_translation_goldens({"bart"}); }

TEST_CASE("a classifier reads a text with both stacks and looks at the last end of text") {
  FakeCheckpoint writer = small_bart(), classifier = small_bart();
  // Logits that are the decoder's state itself.
  writer.config()["tie_word_embeddings"] = false;
  writer.put("lm_head.weight", {12, 12}, identity(12));
  classifier.config()["architectures"] = {"BartForSequenceClassification"};
  classifier.put("classification_head.dense.weight", {12, 12}, identity(12))
      .put("classification_head.dense.bias", {12}, tests::Weights(3).around(0, 12));
  classifier.put("classification_head.out_proj.weight", {3, 12}, tests::Weights(4).matrix(3, 12))
      .put("classification_head.out_proj.bias", {3}, tests::Weights(5).around(0, 3));
  const Model writes = tests::open_converted(writer, "f32"), classifies = tests::open_converted(classifier, "f32");
  CHECK(classifies.task() == "sequence_classification");
  const std::vector<float> dense = tests::Weights(3).around(0, 12), out = tests::Weights(4).matrix(3, 12),
                           bias = tests::Weights(5).around(0, 3);
  for (const auto& [ids, last] : {std::pair<std::vector<int32_t>, size_t>{{0, 5, 2, 7, 9, 2}, 5}, {{0, 5, 2, 7, 9, 4}, 2}}) {
    Session session = tests::opened(classifies, {.context = 20, .threads = 1});
    const Input input{.tokens = ids};
    tests::must(session.run("classify", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
    const std::vector<float> logits = tests::output(session);
    Session decoder = tests::opened(writes, {.context = 20, .batch_tokens = 20, .outputs = 20, .threads = 1});
    const SequenceId sequence = tests::must(decoder.add());
    tests::must(decoder.prefill("encode", {.sequence = sequence, .tokens = ids}));
    std::vector<int32_t> shifted = {2};
    shifted.insert(shifted.end(), ids.begin(), ids.end() - 1);
    const Input text{.sequence = sequence, .tokens = shifted};
    tests::must(decoder.run("decode", {&text, 1}, {.outputs = RunOptions::Outputs::all}));
    const std::vector<float> states = tests::output(decoder);
    REQUIRE(logits.size() == 3);
    for (size_t label = 0; label < 3; ++label) {
      double sum = bias[label];
      for (size_t i = 0; i < 12; ++i) sum += double{out[label * 12 + i]} * std::tanh(double{states[last * 12 + i]} + dense[i]);
      CHECK(double{logits[label]} == doctest::Approx(sum).epsilon(1e-4));
    }
  }
}

TEST_CASE("heads that are not computed are refused by name") {
  FakeCheckpoint checkpoint = small_bart();
  CHECK(refusal(checkpoint) == "");
  checkpoint.config()["architectures"] = {"BartForQuestionAnswering"};
  CHECK(refusal(checkpoint).find("BartForQuestionAnswering") != std::string::npos);
  checkpoint.config()["architectures"] = {"BartForConditionalGeneration"};
  checkpoint.put("model.decoder.layers.0.extra.weight", {3});
  CHECK(refusal(checkpoint).find("model.decoder.layers.0.extra.weight") != std::string::npos);
}
