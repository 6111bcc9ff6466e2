#include <doctest/doctest.h>

#include <cmath>

#include "linnet/tasks.h"
#include "runtime/small_models.h"
#include "tasks/word_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

constexpr int32_t kBegin = 95, kEnd = 96;  // of a vocabulary of 97

Model converted(const convert::FakeCheckpoint& checkpoint) {
  convert::CheckpointFolder folder("classifier");
  folder.write(checkpoint);
  folder.write("tokenizer.json", word_tokenizer(97));
  convert::Options options;
  options.weights = "f32";
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  return must(Model::open(folder.path("out.linnet").c_str()));
}

convert::FakeCheckpoint named(std::vector<std::string> labels) {
  convert::FakeCheckpoint checkpoint = encoder_checkpoint();
  for (size_t i = 0; i < labels.size(); ++i) checkpoint.config()["id2label"][std::to_string(i)] = labels[i];
  return checkpoint;
}

/// Logits of ids and their types, from the session itself.
std::vector<float> logits(const Model& model, const std::vector<int32_t>& ids, const std::vector<int32_t>& types) {
  Session session = opened(model, {.context = 64});
  const Input input{.tokens = ids, .token_types = types};
  must(session.run(model.program(0).name, {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  return output(session);
}

void check_softmax(std::span<const float> probabilities, const std::vector<float>& logits) {
  REQUIRE(probabilities.size() == logits.size());
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit});
  for (size_t i = 0; i < logits.size(); ++i)
    CHECK(double{probabilities[i]} == doctest::Approx(std::exp(double{logits[i]}) / sum).epsilon(1e-5));
}

}  // namespace

TEST_CASE("probabilities are the softmax of the logits, with the file's labels") {
  const Model model = converted(named({"calm", "gale", "storm"}));
  Classifier classifier = must(Classifier::create(model));
  REQUIRE(classifier.labels() == 3);
  CHECK(classifier.label(0) == "calm");
  CHECK(classifier.label(2) == "storm");
  CHECK(classifier.label(3) == "");
  const std::string_view texts[] = {"w4 w2", "w90"};
  const Matrix matrix = must(classifier.classify(texts));
  REQUIRE(matrix.rows == 2);
  check_softmax(matrix.row(0), logits(model, {kBegin, 4, 2, kEnd}, {0, 0, 0, 0}));
  check_softmax(matrix.row(1), logits(model, {kBegin, 90, kEnd}, {0, 0, 0}));
}

TEST_CASE("a pair is one sequence whose second text has type 1") {
  const Model model = converted(named({"calm", "gale", "storm"}));
  Classifier classifier = must(Classifier::create(model));
  const std::string_view texts[] = {"w4 w2"}, pairs[] = {"w7 w8 w9"};
  const Matrix matrix = must(classifier.classify(texts, pairs));
  check_softmax(matrix.row(0), logits(model, {kBegin, 4, 2, kEnd, 7, 8, 9, kEnd}, {0, 0, 0, 0, 1, 1, 1, 1}));
}

TEST_CASE("labels that the file does not name have names all the same") {
  const Model model = converted(encoder_checkpoint());
  Classifier classifier = must(Classifier::create(model));
  CHECK(classifier.labels() == 3);
  CHECK(classifier.label(0) == "LABEL_0");
  CHECK(classifier.label(2) == "LABEL_2");
}

TEST_CASE("one label gives one score: the sigmoid of its logit") {
  convert::FakeCheckpoint checkpoint = encoder_checkpoint();
  Weights w;
  checkpoint.put("classifier.weight", {1, 36}, w.matrix(1, 36)).put("classifier.bias", {1}, {0.25f});
  checkpoint.config()["id2label"]["0"] = "LABEL_0";
  const Model model = converted(checkpoint);
  Classifier classifier = must(Classifier::create(model));
  REQUIRE(classifier.labels() == 1);
  const std::string_view texts[] = {"w1", "w2"}, pairs[] = {"w3", "w4 w5"};
  const Matrix scores = must(classifier.classify(texts, pairs));
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<float> logit =
        i ? logits(model, {kBegin, 2, kEnd, 4, 5, kEnd}, {0, 0, 0, 1, 1, 1}) : logits(model, {kBegin, 1, kEnd, 3, kEnd}, {0, 0, 0, 1, 1});
    REQUIRE(logit.size() == 1);
    CHECK(double{scores.row(i)[0]} == doctest::Approx(1 / (1 + std::exp(-double{logit[0]}))).epsilon(1e-6));
  }
}

TEST_CASE("texts together have the bits of texts alone") {
  const Model model = converted(encoder_checkpoint());
  std::vector<std::string> texts;
  for (int32_t i = 0; i < 40; ++i) texts.push_back(words(tokens(static_cast<size_t>(1 + i % 17), 94, static_cast<uint32_t>(i))));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  Classifier together = must(Classifier::create(model, {.batch_texts = 7, .threads = 2}));
  Classifier alone = must(Classifier::create(model, {.batch_texts = 1}));
  const Matrix all = must(together.classify(views));
  for (size_t i = 0; i < views.size(); ++i) {
    const Matrix one = must(alone.classify({&views[i], 1}));
    CHECK(std::memcmp(all.row(i).data(), one.data, 3 * sizeof(float)) == 0);
  }
}

TEST_CASE("texts and second texts of different number are refused with both numbers") {
  const Model model = converted(encoder_checkpoint());
  Classifier classifier = must(Classifier::create(model));
  const std::string_view texts[] = {"w1", "w2"}, pairs[] = {"w3"};
  const Result<Matrix> refused = classifier.classify(texts, pairs);
  CHECK(refused.status().code() == Code::invalid_argument);
  CHECK(std::string(refused.status().message()) == "2 texts but 1 second texts");
}
