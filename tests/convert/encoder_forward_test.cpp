// BERT's relatives of many shapes with every head, converted and run, against the formulas in double precision.
#include <doctest/doctest.h>

#include "convert/encoder_run.h"

using namespace linnet;
using namespace linnet::oracle;

namespace {

const char* const kHeads[] = {"Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"};

// The reference's MPNetEncoder.relative_position_bucket: 32 buckets, distance 128.
size_t bucket(long relative) {
  const size_t base = relative > 0 ? 16 : 0, n = static_cast<size_t>(std::labs(relative));
  if (n < 8) return base + n;
  return base + std::min<size_t>(15, 8 + static_cast<size_t>(std::log(double(n) / 8) / std::log(16.0) * 8 + 1e-9));
}

std::map<std::string, Vector> expected(const Tensors& t, const EncoderShape& s, const EncoderTexts& texts) {
  const EncoderNames n = encoder_names(s);
  return expected_of(t, s, texts, [&](const std::string& layer, const Rows& x, size_t) {
    const auto project = [&](const std::string& name) { return linear(t, x, layer + name + ".weight", layer + name + ".bias"); };
    const Rows q = project(n.query), k = project(n.key), v = project(n.value);
    const double root = std::sqrt(double(s.hidden / s.heads));
    return attention_of_pairs(
        q, k, v, s.heads, 1 / root, [](size_t, size_t) { return true; },
        [&](size_t i, size_t j, size_t a) {
          if (s.family != "mpnet") return 0.0;
          return root * tensor(t, n.prefix + "encoder.relative_attention_bias.weight")[bucket(long(j) - long(i)) * s.heads + a];
        });
  });
}

void check(const EncoderShape& s, const std::vector<size_t>& lengths = {11, 1, 17}) {
  convert::FakeCheckpoint checkpoint = encoder_checkpoint(s, 7);
  if (s.family == "mpnet") {
    Filler fill{checkpoint, tests::Weights(9)};
    fill.matrix(encoder_names(s).prefix + "encoder.relative_attention_bias", 32, s.heads);
  }
  const EncoderTexts texts = encoder_texts(s, lengths);
  check_encoder(checkpoint, expected(tensors_of(checkpoint), s, texts), texts);
}

}  // namespace

TEST_CASE("every relative of BERT computes what the formulas say, with each of its heads") {
  for (const char* family : {"roberta", "distilbert", "albert", "electra", "mpnet"})
    for (const char* saved : kHeads) {
      EncoderShape s = {.family = family, .saved = saved, .prefix = std::string(saved) != "Model"};
      if (s.family == "albert" || s.family == "electra") s.width = 12, s.types = 2;
      check(s);
    }
}

TEST_CASE("one label makes a re-ranker of every relative of BERT") {
  for (const char* family : {"xlm-roberta", "camembert", "distilbert", "albert", "electra", "mpnet"})
    check({.family = family, .saved = "ForSequenceClassification", .hidden = 21, .width = 21, .layers = 1, .heads = 3, .labels = 1});
}

TEST_CASE("ELECTRA's discriminator gives a number for each token") {
  check({.family = "electra", .saved = "ForPreTraining", .width = 10, .types = 2, .activation = "gelu_new"});
  check({.family = "electra", .saved = "ForPreTraining", .types = 2, .activation = "relu"});
}

TEST_CASE("ALBERT's groups of layers and layers within a group share their weights as the reference does") {
  check({.family = "albert", .saved = "ForMaskedLM", .width = 9, .layers = 6, .types = 2, .activation = "gelu_new", .groups = 3});
  check({.family = "albert", .saved = "ForMaskedLM", .width = 24, .layers = 4, .types = 2, .groups = 2, .inner = 3});
  check({.family = "albert", .saved = "Model", .prefix = false, .width = 9, .layers = 3, .types = 2, .groups = 2});
}

TEST_CASE("MPNet's bias by distance reaches beyond its last bucket") {
  check({.family = "mpnet", .saved = "ForMaskedLM", .hidden = 20, .width = 20, .layers = 1, .heads = 5, .positions = 200}, {190, 3});
}

TEST_CASE("RoBERTa with several segments is told them, and counts another padding id") {
  check({.saved = "ForMaskedLM", .positions = 22, .types = 3, .padding = 4});
  check({.family = "xlm-roberta", .saved = "Model", .positions = 19, .types = 1, .padding = 0});
}

TEST_CASE("positions of a table that lie before the first token's are no room for tokens") {
  const Model model = converted(encoder_checkpoint({.saved = "Model", .positions = 12}, 3), weights("f32"));
  CHECK(model.program(0).max_positions == 10);
  CHECK(model.program(0).padding_id == 1);
  Session session = tests::opened(model, {.context = 10, .batch_tokens = 20, .threads = 1});
  const std::vector<int32_t> fits(10, 5), more(11, 5);
  const Input all{.tokens = fits}, beyond{.tokens = more};
  CHECK(session.run("encode", {&all, 1}).ok());
  CHECK(session.run("encode", {&beyond, 1}).code() == Code::context_full);
}
