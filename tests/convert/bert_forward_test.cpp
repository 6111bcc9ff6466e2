// Encoders of many shapes with every head, converted and run, against the formulas in double precision.
#include <doctest/doctest.h>

#include "convert/bert_oracle.h"
#include "convert/converted.h"

using namespace linnet;
using namespace linnet::oracle;

namespace {

constexpr double kRounding = 1e-4;     // of f32 arithmetic, relative to the largest number
constexpr double kActivations = 0.06;  // of inputs rounded to 8 bits, as a distance

const BertShape kShapes[] = {
    {},
    {.hidden = 21,
     .layers = 2,
     .heads = 3,
     .intermediate = 37,
     .vocabulary = 3,
     .types = 1,
     .labels = 1,
     .saved = "BertForSequenceClassification"},
    {.hidden = 36,
     .layers = 2,
     .heads = 3,
     .intermediate = 84,
     .labels = 5,
     .activation = "gelu_new",
     .saved = "BertForSequenceClassification"},
    {.hidden = 66,
     .heads = 6,
     .intermediate = 172,
     .vocabulary = 97,
     .labels = 7,
     .activation = "relu",
     .saved = "BertForTokenClassification"},
    {.hidden = 40, .layers = 3, .heads = 1, .intermediate = 1, .saved = "BertForQuestionAnswering", .epsilon = 1e-5},
    {.hidden = 130, .heads = 2, .intermediate = 290, .vocabulary = 131, .saved = "BertForMaskedLM"},
    {.hidden = 7, .layers = 2, .heads = 7, .intermediate = 5, .vocabulary = 1, .activation = "silu", .saved = "BertForMaskedLM"},
    {.hidden = 264, .heads = 12, .intermediate = 520, .vocabulary = 50},
};

BertShape random_shape(uint32_t seed) {
  std::mt19937 random(seed);
  auto between = [&](size_t low, size_t high) { return low + random() % (high - low + 1); };
  const char* activations[] = {"gelu", "gelu_new", "relu", "silu", "quick_gelu"};
  const char* saved[] = {"BertModel", "BertForSequenceClassification", "BertForTokenClassification", "BertForQuestionAnswering",
                         "BertForMaskedLM"};
  const size_t heads = between(1, 6);
  return {.hidden = heads * between(2, 30),
          .layers = between(1, 3),
          .heads = heads,
          .intermediate = between(1, 300),
          .vocabulary = between(1, 200),
          .types = between(1, 3),
          .labels = between(1, 9),
          .activation = activations[random() % 5],
          .saved = saved[seed % 5],
          .epsilon = 1e-6};
}

std::vector<BertShape> shapes() {
  std::vector<BertShape> all(std::begin(kShapes), std::end(kShapes));
  for (uint32_t seed = 1; seed <= 10; ++seed) all.push_back(random_shape(seed));
  return all;
}

struct Texts {
  std::vector<std::vector<int32_t>> ids, types;
};

/// Three texts of different lengths.
Texts texts(const BertShape& s) {
  Texts all;
  for (size_t count : {size_t{11}, size_t{1}, size_t{16}}) {
    all.ids.push_back(tests::tokens(count, static_cast<int32_t>(s.vocabulary), 3 + static_cast<uint32_t>(count)));
    all.types.push_back(tests::tokens(count, static_cast<int32_t>(s.types), 5));
  }
  return all;
}

using Outputs = std::map<std::string, std::vector<float>>;

/// All three in one run: no text may see another.
Outputs run(const Model& model, const Texts& texts) {
  Session session = tests::opened(model, {.context = 16, .batch_tokens = 32, .sequences = 3, .outputs = 32, .threads = 1});
  std::vector<Input> inputs;
  for (size_t i = 0; i < texts.ids.size(); ++i)
    inputs.push_back({.sequence = tests::must(session.add()), .tokens = texts.ids[i], .token_types = texts.types[i]});
  tests::must(session.run("encode", inputs, {.outputs = RunOptions::Outputs::all}));
  Outputs all;
  for (size_t i = 0; i < model.program(0).outputs; ++i) {
    const std::string name(model.output(0, i).name);
    all[name] = tests::output(session, name);
  }
  return all;
}

std::map<std::string, Vector> expected(const Tensors& tensors, const BertShape& s, const Texts& texts) {
  std::map<std::string, Vector> all;
  for (size_t i = 0; i < texts.ids.size(); ++i)
    for (const auto& [name, rows] : bert(tensors, s, texts.ids[i], texts.types[i])) {
      const Vector numbers = flat(rows);
      all[name].insert(all[name].end(), numbers.begin(), numbers.end());
    }
  return all;
}

}  // namespace

TEST_CASE("BERT of any shape and with any head computes what the formulas say") {
  for (const BertShape& s : shapes()) {
    const convert::FakeCheckpoint checkpoint = bert_checkpoint(s, 7);
    const Texts three = texts(s);
    const Outputs got = run(converted(checkpoint, weights("f32")), three), half = run(converted(checkpoint, weights("f16")), three);
    const auto wanted = expected(tensors_of(checkpoint), s, three);
    CHECK(got.size() == wanted.size());
    for (const auto& [name, numbers] : wanted) {
      const auto& of_name = name;
      CAPTURE(of_name);
      CAPTURE(checkpoint.Checkpoint::config().dump());
      CHECK(error(got.at(name), numbers) < kRounding);
      CHECK(distance(half.at(name), numbers) < 0.01);
    }
  }
}

TEST_CASE("a quantized BERT computes the formulas on the weights that it stores, and those are near the checkpoint's") {
  for (const BertShape& s : shapes()) {
    const convert::FakeCheckpoint checkpoint = bert_checkpoint(s, 13);
    const Texts three = texts(s);
    const auto original = expected(tensors_of(checkpoint), s, three);
    for (const std::string encoding : {"int8", "int4"}) {
      const Model simulated = converted(checkpoint, weights(encoding, true));
      const auto stored = expected(tensors_of(simulated), s, three);
      const Outputs plain = run(simulated, three), got = run(converted(checkpoint, weights(encoding)), three);
      for (const auto& [name, numbers] : stored) {
        const auto& of_name = name;
        CAPTURE(of_name);
        CAPTURE(encoding);
        CAPTURE(checkpoint.Checkpoint::config().dump());
        CHECK(error(plain.at(name), numbers) < kRounding);
        CHECK(distance(got.at(name), numbers) < kActivations);
        CHECK(distance({numbers.begin(), numbers.end()}, original.at(name)) < (encoding == "int8" ? 0.04 : 0.6));
      }
    }
  }
}
