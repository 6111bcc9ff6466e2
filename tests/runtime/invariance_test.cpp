// Results do not depend on how the work was cut: into chunks, batches, threads, forks, rewinds. Byte for byte.
#include <doctest/doctest.h>

#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const char* name_of(StateEncoding encoding) { return encoding == StateEncoding::f32 ? "f32" : encoding == StateEncoding::f16 ? "f16" : "int8"; }

/// Runs `test` for every way of storing weights and state.
template <class Test>
void for_every_encoding(Test test) {
  for (const char* weights : {"f32", "f16", "int8", "int4"}) {
    const Model model = open_converted(decoder_checkpoint(), weights);
    for (StateEncoding state : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
      CAPTURE(weights);
      CAPTURE(name_of(state));
      test(model, state);
    }
  }
}

/// Logits of all tokens, run in chunks of these sizes, the last one repeated.
std::vector<float> in_chunks(Session* session, SequenceId sequence, std::span<const int32_t> ids, std::vector<size_t> chunks) {
  std::vector<float> all;
  for (size_t at = 0, i = 0; at < ids.size(); ++i) {
    const size_t count = std::min(chunks[std::min(i, chunks.size() - 1)], ids.size() - at);
    const Input input{.sequence = sequence, .tokens = ids.subspan(at, count)};
    must(session->run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
    const std::vector<float> part = output(*session);
    all.insert(all.end(), part.begin(), part.end());
    at += count;
  }
  return all;
}

constexpr uint32_t kTokens = 150;

Limits limits(StateEncoding state, uint32_t threads = 1, uint32_t sequences = 1) {
  return {.context = 256, .batch_tokens = kTokens, .sequences = sequences, .outputs = kTokens, .threads = threads, .state = state};
}

std::vector<float> reference(const Model& model, StateEncoding state, std::span<const int32_t> ids) {
  Session session = opened(model, limits(state));
  return in_chunks(&session, must(session.add()), ids, {ids.size()});
}

std::vector<float> last_row(const std::vector<float>& all) { return {all.end() - 131, all.end()}; }

}  // namespace

TEST_CASE("chunks and threads do not change a bit") {
  const std::vector<int32_t> ids = tokens(kTokens);
  for_every_encoding([&](const Model& model, StateEncoding state) {
    const std::vector<float> whole = reference(model, state, ids);
    for (uint32_t threads : {1u, 2u, 3u, 7u}) {
      Session session = opened(model, limits(state, threads));
      for (const std::vector<size_t>& chunks : {std::vector<size_t>{150}, {1}, {5}, {64, 1, 63, 22}, {37}}) {
        const SequenceId sequence = must(session.add());
        CHECK(same_bytes(in_chunks(&session, sequence, ids, chunks), whole));
        must(session.remove(sequence));
      }
    }
  });
}

TEST_CASE("neighbours in a batch do not change a bit") {
  const std::vector<int32_t> a = tokens(70, 131, 2), b = tokens(33, 131, 3), c = tokens(1, 131, 4);
  for_every_encoding([&](const Model& model, StateEncoding state) {
    Session session = opened(model, limits(state, 2, 3));
    std::vector<Input> inputs;
    for (const std::vector<int32_t>* ids : {&a, &b, &c}) inputs.push_back({.sequence = must(session.add()), .tokens = *ids});
    must(session.run("generate", inputs, {.outputs = RunOptions::Outputs::all}));
    std::vector<float> together = output(session), apart;
    for (const std::vector<int32_t>* ids : {&a, &b, &c}) {
      const std::vector<float> one = reference(model, state, *ids);
      apart.insert(apart.end(), one.begin(), one.end());
    }
    CHECK(same_bytes(together, apart));
    // Sequences of different lengths, one token each.
    const int32_t next[] = {5, 17, 99};
    for (size_t i = 0; i < 3; ++i) inputs[i].tokens = {&next[i], 1};
    must(session.run("generate", inputs));
    together = output(session);
    apart.clear();
    for (size_t i = 0; i < 3; ++i) {
      std::vector<int32_t> ids = i == 0 ? a : i == 1 ? b : c;
      ids.push_back(next[i]);
      const std::vector<float> row = last_row(reference(model, state, ids));
      apart.insert(apart.end(), row.begin(), row.end());
    }
    CHECK(same_bytes(together, apart));
  });
}

TEST_CASE("only the outputs that are asked for are made, with the same bits") {
  const std::vector<int32_t> ids = tokens(40);
  for_every_encoding([&](const Model& model, StateEncoding state) {
    const std::vector<float> whole = reference(model, state, ids);
    Session session = opened(model, limits(state, 2));
    const uint32_t rows[] = {0, 7, 38};
    Input input{.sequence = must(session.add()), .tokens = ids, .output_rows = rows};
    must(session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::listed, .commit = false}));
    const std::vector<float> listed = output(session);
    for (size_t i = 0; i < 3; ++i) CHECK(std::memcmp(&listed[i * 131], &whole[rows[i] * 131], 131 * sizeof(float)) == 0);
    input.output_rows = {};
    must(session.run("generate", {&input, 1}));
    CHECK(same_bytes(output(session), last_row(whole)));
  });
}

TEST_CASE("prefill in chunks ends where one run ends") {
  const std::vector<int32_t> ids = tokens(kTokens);
  for_every_encoding([&](const Model& model, StateEncoding state) {
    const std::vector<float> last = last_row(reference(model, state, ids));
    for (uint32_t batch : {1u, 7u, 64u}) {
      Limits small = limits(state, 2);
      small.batch_tokens = batch;
      small.outputs = 0;
      Session session = opened(model, small);
      const Input input{.sequence = must(session.add()), .tokens = ids};
      must(session.prefill("generate", input));
      CHECK(session.length(input.sequence) == kTokens);
      CHECK(same_bytes(output(session), last));
    }
  });
}

TEST_CASE("a fork goes on as its origin would, and neither disturbs the other") {
  const std::vector<int32_t> ids = tokens(100), other = tokens(30, 131, 9);
  for_every_encoding([&](const Model& model, StateEncoding state) {
    for (size_t cut : {1u, 63u, 64u, 65u, 70u}) {
      Session session = opened(model, limits(state, 2, 3));
      const SequenceId origin = must(session.add());
      in_chunks(&session, origin, std::span(ids).first(cut), {cut});
      const SequenceId copy = must(session.fork(origin));
      CHECK(session.length(copy) == cut);
      in_chunks(&session, copy, other, {other.size()});
      CHECK(same_bytes(in_chunks(&session, origin, std::span(ids).subspan(cut), {11}),
                       [&] {
                         const std::vector<float> whole = reference(model, state, ids);
                         return std::vector<float>(whole.begin() + static_cast<ptrdiff_t>(cut * 131), whole.end());
                       }()));
      std::vector<int32_t> mixed(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(cut));
      mixed.insert(mixed.end(), other.begin(), other.end());
      const int32_t next = 3;
      mixed.push_back(next);
      const Input input{.sequence = copy, .tokens = {&next, 1}};
      must(session.remove(origin));
      must(session.run("generate", {&input, 1}));
      CHECK(same_bytes(output(session), last_row(reference(model, state, mixed))));
    }
  });
}

TEST_CASE("what was rewound or not committed never was") {
  const std::vector<int32_t> ids = tokens(100), other = tokens(50, 131, 5);
  for_every_encoding([&](const Model& model, StateEncoding state) {
    const std::vector<float> last = last_row(reference(model, state, ids));
    for (size_t cut : {1u, 30u, 64u, 99u}) {
      Session session = opened(model, limits(state, 2, 2));
      const SequenceId sequence = must(session.add());
      in_chunks(&session, sequence, std::span(ids).first(cut), {cut});
      const SequenceId watcher = must(session.fork(sequence));
      in_chunks(&session, sequence, other, {20});
      must(session.rewind(sequence, 50));
      CHECK(session.length(sequence) == cut);
      const Input tried{.sequence = sequence, .tokens = other};
      must(session.run("generate", {&tried, 1}, {.commit = false}));
      CHECK(session.length(sequence) == cut);
      for (SequenceId each : {sequence, watcher}) CHECK(same_bytes(last_row(in_chunks(&session, each, std::span(ids).subspan(cut), {100})), last));
    }
  });
}

TEST_CASE("a sequence that was saved goes on in another session") {
  const std::vector<int32_t> ids = tokens(100);
  const convert::CheckpointFolder folder("saved");
  for_every_encoding([&](const Model& model, StateEncoding state) {
    const std::vector<float> last = last_row(reference(model, state, ids));
    for (size_t cut : {1u, 64u, 77u}) {
      {
        Session session = opened(model, limits(state));
        const SequenceId sequence = must(session.add());
        in_chunks(&session, sequence, std::span(ids).first(cut), {cut});
        must(session.save(sequence, folder.path("state").c_str()));
      }
      Session session = opened(model, limits(state, 2, 2));
      must(session.add());
      const SequenceId sequence = must(session.restore(folder.path("state").c_str()));
      CHECK(session.length(sequence) == cut);
      CHECK(same_bytes(last_row(in_chunks(&session, sequence, std::span(ids).subspan(cut), {100})), last));
    }
  });
}

TEST_CASE("an encoder's texts do not see each other") {
  for (const char* weights : {"f32", "f16", "int8", "int4"}) {
    CAPTURE(weights);
    const Model model = open_converted(encoder_checkpoint(), weights);
    const std::vector<int32_t> a = tokens(50, 97, 2), b = tokens(13, 97, 3), c = tokens(128, 97, 4);
    std::vector<std::vector<float>> apart;
    for (const std::vector<int32_t>* ids : {&a, &b, &c}) {
      Session session = opened(model, {.threads = 1});
      const Input input{.tokens = *ids};
      must(session.run("encode", {&input, 1}));
      apart.push_back(output(session));
      CHECK(apart.back().size() == 3);
    }
    for (uint32_t threads : {1u, 2u, 5u}) {
      Session session = opened(model, {.batch_tokens = 200, .sequences = 3, .threads = threads});
      const Input inputs[] = {{.tokens = c}, {.tokens = b}, {.tokens = a}};
      must(session.run("encode", {inputs, 3}));
      std::vector<float> expected = apart[2];
      expected.insert(expected.end(), apart[1].begin(), apart[1].end());
      expected.insert(expected.end(), apart[0].begin(), apart[0].end());
      CHECK(same_bytes(output(session), expected));
    }
  }
}
