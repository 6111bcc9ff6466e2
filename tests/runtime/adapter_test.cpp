// What adapters compute beside their base.
#include "runtime/adapted_runs.h"

using namespace linnet;
using namespace linnet::tests;

TEST_CASE("an adapter beside its base computes what the merged checkpoint does") {
  const std::vector<int32_t> ids = tokens(150);
  const Model base = open_converted(decoder_checkpoint(), "f32"),
              whole = open_converted(decoder_adapter().merged(decoder_checkpoint()), "f32");
  Session plain = opened(whole, {.context = 256, .batch_tokens = 200, .outputs = 200, .threads = 1});
  const std::vector<float> expected = run_decoder(plain, ids, kNoAdapter);
  for (uint32_t threads : {1u, 3u}) {
    Session session = opened(base, decoder_limits(threads));
    const std::vector<float> adapted = run_decoder(session, ids, must(session.attach(open_adapter(base, decoder_adapter()))));
    CHECK(largest_difference(adapted, expected) < 2e-4);
    CHECK(largest_difference(adapted, run_decoder(session, ids, kNoAdapter)) > 0.5);
  }
}

TEST_CASE("biases, a classifier and a norm trained in full stand in for the base's") {
  const std::vector<int32_t> ids = tokens(60, 97);
  const Model base = open_converted(encoder_checkpoint(), "f32"),
              whole = open_converted(encoder_adapter().merged(encoder_checkpoint()), "f32");
  Session plain = opened(whole, {.threads = 1});
  Session session = opened(base, {.threads = 2, .adapters = 1, .adapter_rank = 3});
  const std::vector<float> expected = run_encoder(plain, ids, kNoAdapter);
  const std::vector<float> adapted = run_encoder(session, ids, must(session.attach(open_adapter(base, encoder_adapter()))));
  CHECK(largest_difference(adapted, expected) < 2e-5);
  CHECK(largest_difference(adapted, run_encoder(session, ids, kNoAdapter)) > 0.05);
}

TEST_CASE("an embedding's pair changes the input alone, another table what reads it") {
  const std::vector<int32_t> ids = tokens(20);
  const Model tied = open_converted(decoder_checkpoint(), "f32");
  // The reference: a head of its own that keeps the base's numbers.
  const auto with_head = [&](convert::FakeCheckpoint checkpoint, const std::vector<float>& head) {
    checkpoint.config()["tie_word_embeddings"] = false;
    return open_converted(checkpoint.put("lm_head.weight", {131, 60}, head), "f32");
  };
  const std::string table = "model.embed_tokens";
  const std::vector<float> base_table = decoder_checkpoint().read(table + ".weight");
  TestAdapter pair, head_pair, copy, copied_head, layer;
  pair.embedding(table, 131, 60);
  head_pair.pair("lm_head", 131, 60);
  copy.fill(table + ".weight", {131, 60});
  copied_head.fill("lm_head.weight", {131, 60});
  layer.fill(table + ".base_layer.weight", {131, 60}).embedding(table, 131, 60);
  convert::FakeCheckpoint untied = decoder_checkpoint();
  untied.put("lm_head.weight", {131, 60}, base_table);
  const convert::FakeCheckpoint merged_head = head_pair.merged(untied), copied = copied_head.merged(untied);
  TestAdapter layer_alone;
  layer_alone.fill(table + ".base_layer.weight", {131, 60});
  const std::vector<float> other_table = layer_alone.merged(decoder_checkpoint()).read(table + ".weight");
  const struct {
    const TestAdapter& adapter;
    Model expected;
  } cases[] = {
      {pair, with_head(pair.merged(decoder_checkpoint()), base_table)},
      {head_pair, with_head(decoder_checkpoint(), merged_head.read("lm_head.weight"))},
      {copy, with_head(copy.merged(decoder_checkpoint()), base_table)},
      {copied_head, with_head(decoder_checkpoint(), copied.read("lm_head.weight"))},
      {layer, with_head(layer.merged(decoder_checkpoint()), other_table)},
  };
  Session session = opened(tied, decoder_limits());
  const std::vector<float> before = run_decoder(session, ids, kNoAdapter);
  for (const auto& each : cases) {
    Session plain = opened(each.expected, {.context = 256, .outputs = 20, .threads = 1});
    const AdapterId adapter = must(session.attach(open_adapter(tied, each.adapter)));
    const std::vector<float> adapted = run_decoder(session, ids, adapter);
    CHECK(largest_difference(adapted, run_decoder(plain, ids, kNoAdapter)) < 1e-4);
    CHECK(largest_difference(adapted, before) > 0.05);
    must(session.detach(adapter));
  }
}
