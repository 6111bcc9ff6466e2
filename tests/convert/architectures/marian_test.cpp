#include <doctest/doctest.h>

#include "convert/architectures/small_bart.h"
#include "convert/architectures/translation_golden.h"

using namespace linnet;
using namespace linnet::convert;

TEST_CASE("Marian gives what the reference gives, at every number of bits") { check_translation_goldens({"marian"}); }

TEST_CASE("the two sides of Marian may have vocabularies of their own, and positions that are stored or computed are the same") {
  const FakeCheckpoint like = small_bart();
  FakeCheckpoint c(Json(static_cast<const Checkpoint&>(like).config()));
  c.config()["model_type"] = "marian";
  c.config()["share_encoder_decoder_embeddings"] = false;
  c.config()["decoder_vocab_size"] = 9;
  for (const SourceTensor& tensor : like.tensors())
    if (tensor.name.find("embed_positions") == std::string::npos && tensor.name.find("layernorm_embedding") == std::string::npos &&
        tensor.name != "model.shared.weight")
      c.put(tensor.name, tensor.shape, like.read(tensor.name));
  c.put("model.encoder.embed_tokens.weight", {15, 12}, tests::Weights(1).matrix(15, 12));
  c.put("model.decoder.embed_tokens.weight", {9, 12}, tests::Weights(2).matrix(9, 12));
  c.put("final_logits_bias", {1, 9}, tests::Weights(3).around(0, 9));
  const Model computed = tests::open_converted(c, "f32");
  CHECK(computed.input(0, 0).bound == 15);
  CHECK(computed.input(1, 0).bound == 9);
  std::vector<float> table;
  for (int p = 0; p < 24; ++p)
    for (int i = 0; i < 12; ++i) {
      const double angle = p / std::pow(10000.0, 2.0 * (i % 6) / 12);
      table.push_back(static_cast<float>(i < 6 ? std::sin(angle) : std::cos(angle)));
    }
  c.put("model.encoder.embed_positions.weight", {24, 12}, table).put("model.decoder.embed_positions.weight", {24, 12}, table);
  const Model stored = tests::open_converted(c, "f32");
  std::vector<std::vector<float>> logits;
  for (const Model* model : {&computed, &stored}) {
    Session session = tests::opened(*model, {.context = 24, .threads = 1});
    const SequenceId sequence = tests::must(session.add());
    const std::vector<int32_t> source = {14, 3, 3, 8}, text = {8, 0, 7};
    tests::must(session.prefill("encode", {.sequence = sequence, .tokens = source}));
    tests::must(session.prefill("decode", {.sequence = sequence, .tokens = text}));
    logits.push_back(tests::output(session));
  }
  REQUIRE(logits[0].size() == 9);
  CHECK(tests::same_bytes(logits[0], logits[1]));
}
