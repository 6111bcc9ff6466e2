// Layers with a sliding window: their state is as large as the window, whatever the context, and long texts come out the same.
#include <doctest/doctest.h>

#include "convert/architectures/small_frames.h"
#include "linnet/plan.h"

using namespace linnet;
using namespace linnet::tests;
using namespace linnet::oracle::frames;

namespace {

constexpr uint64_t kPage = 64;  // positions

/// Two layers see 100 positions, two all of them.
Model every_other() {
  Frame f = four_norms();
  return oracle::converted(checkpoint_of({{"model_type", "gemma2"}, {"max_position_embeddings", 65536}, {"sliding_window", 100}}, f),
                           oracle::weights("f32"));
}

Model all_windowed() {
  return oracle::converted(checkpoint_of({{"model_type", "mistral"}, {"max_position_embeddings", 65536}, {"sliding_window", 100}}, Frame()),
                           oracle::weights("f32"));
}

uint64_t state(const Model& model, const Limits& limits) { return planned(model, limits).state(); }

}  // namespace

TEST_CASE("a window, a run and the rewind limit are all that windowed layers keep") {
  const Model model = all_windowed();
  const Limits small = {.context = 64, .batch_tokens = 32, .threads = 1, .state = StateEncoding::f32};
  const uint64_t page = state(model, small);
  // 4 layers, 2 heads of 10 channels for keys and values, rows padded to some lanes.
  CHECK(page >= kPage * 4 * 2 * 2 * 10 * 4);
  CHECK(page <= kPage * 4 * 2 * 2 * 16 * 4);
  for (uint32_t batch : {1u, 32u, 93u, 100u})
    for (uint32_t rewind : {0u, 50u})
      for (uint32_t context : {640u, 6400u, 65536u}) {
        const uint64_t pages = std::min<uint64_t>((context + 63) / 64, (100 + batch + rewind + 63) / 64 + 1);
        CHECK(state(model, {.context = context, .batch_tokens = batch, .threads = 1, .rewind = rewind, .state = StateEncoding::f32}) ==
              pages * page);
      }
}

TEST_CASE("full layers beside windowed ones pay for the context, the windowed ones do not") {
  const Model model = every_other();
  const uint64_t page = state(model, {.context = 64, .batch_tokens = 32, .threads = 1, .state = StateEncoding::f32});
  REQUIRE(page % 2 == 0);
  for (uint32_t context : {6400u, 65536u})
    for (uint32_t sequences : {1u, 3u})
      CHECK(state(model, {.context = context, .batch_tokens = 32, .sequences = sequences, .threads = 1, .state = StateEncoding::f32}) ==
            sequences * (context / kPage * page / 2 + ((100 + 32 + 63) / kPage + 1) * page / 2));
}

TEST_CASE("far beyond the window a text comes out as the formulas say, in one run, in pieces and token by token") {
  Frame f = four_norms();
  f.scale = 1 / 16.0, f.softcap = 50, f.logit_cap = 30, f.windows = {100, 0, 100, 0};
  const Model model = every_other();
  const std::vector<int32_t> ids = tokens(700, kWords);
  const auto c = checkpoint_of({{"model_type", "gemma2"}, {"sliding_window", 100}}, f);
  const oracle::Rows expected = frame(oracle::tensors_of(c), ids, f);
  for (uint32_t piece : {700u, 64u, 37u, 1u}) {
    CAPTURE(piece);
    Session session = opened(model, {.context = 700, .batch_tokens = piece, .outputs = 1, .threads = 1, .state = StateEncoding::f32});
    const SequenceId sequence = must(session.add());
    for (size_t at = 0; at < ids.size(); at += piece) {
      const size_t count = std::min<size_t>(piece, ids.size() - at);
      const Input input{.sequence = sequence, .tokens = {ids.data() + at, count}};
      must(session.run("generate", {&input, 1}));
      CHECK(oracle::error(output(session), expected[at + count - 1]) < 1e-4);
    }
  }
}
