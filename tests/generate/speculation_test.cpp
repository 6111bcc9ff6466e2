// Drafts change the time that a text takes and nothing else.
#include <doctest/doctest.h>

#include "linnet/generate.h"
#include "runtime/session_impl.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const Model& decoder() {
  static const Model model = open_converted(decoder_checkpoint(), "int8");
  return model;
}

/// Another rounding of the same weights: often of the same opinion.
const Model& draft_model() {
  static const Model model = open_converted(decoder_checkpoint(), "int4");
  return model;
}

Limits limits(uint32_t context = 256) { return {.context = context, .sequences = 2, .outputs = 17, .threads = 1}; }

struct Written {
  std::vector<int32_t> ids;
  std::vector<float> next;  // logits after going on with one id
  uint32_t length = 0, drafted = 0, kept = 0;
  GenerateReport::End end{};
  int32_t unread = 0, eos = 0;
  bool same_as(const Written& other) const {
    return ids == other.ids && (next.empty() ? other.next.empty() : same_bytes(next, other.next)) && length == other.length &&
           end == other.end && unread == other.unread && eos == other.eos;
  }
};

Written write_on(const std::vector<int32_t>& prompt, GenerateOptions options, const Speculation& speculation, uint32_t context = 256) {
  options.speculation = speculation;
  Session session = opened(decoder(), limits(context));
  const SequenceId sequence = must(session.add());
  Ids ids;
  const GenerateReport report = must(generate(session, decoder(), sequence, prompt, options, &ids));
  Written written{
      {ids.begin(), ids.end()}, {}, session.length(sequence), report.drafted, report.drafts_kept, report.end, report.unread, report.eos};
  if (session.length(sequence) == context) return written;
  const int32_t next = report.unread >= 0 ? report.unread : 7;
  must(session.prefill("generate", {.sequence = sequence, .tokens = {&next, 1}}));
  written.next = output(session);
  return written;
}

std::vector<int32_t> repeating(size_t count) {
  const std::vector<int32_t> part = tokens(11);
  std::vector<int32_t> all;
  while (all.size() < count) all.push_back(part[all.size() % part.size()]);
  return all;
}

/// Writes with and without; the drafts that were read.
uint32_t expect_same(const std::vector<int32_t>& prompt, const GenerateOptions& options, uint32_t context = 256) {
  const Written plain = write_on(prompt, options, {}, context);
  CHECK(plain.drafted == 0);
  uint32_t drafted = 0;
  for (uint32_t most : {1u, 5u, 16u})
    for (bool adaptive : {false, true}) {
      const Written looked_up = write_on(prompt, options, {.lookup = true, .most = most, .adaptive = adaptive}, context);
      CHECK(looked_up.same_as(plain));
      CHECK(looked_up.kept <= looked_up.drafted);
      Session drafting = opened(draft_model(), {.context = context, .threads = 1});
      const Written drafted_by_model =
          write_on(prompt, options, {.draft = &drafting, .draft_model = &draft_model(), .most = most, .adaptive = adaptive}, context);
      CHECK(drafted_by_model.same_as(plain));
      drafted += looked_up.drafted + drafted_by_model.drafted;
      must(drafting.add());  // its sequence was given back
    }
  return drafted;
}

}  // namespace

TEST_CASE("greedy texts and drawn ones are the same with drafts, and so is what the sequence holds") {
  GenerateOptions options;
  options.max_tokens = 60;
  CHECK(expect_same(repeating(40), options) > 0);
  CHECK(expect_same(tokens(9), options) > 0);
  options.sampling = {.temperature = 0.7f, .top_k = 40, .repetition_penalty = 1.2f, .frequency_penalty = 0.1f, .seed = 5};
  CHECK(expect_same(repeating(40), options) > 0);
}

TEST_CASE("a text ends where it would have ended, in the middle of drafts too") {
  GenerateOptions options;
  options.max_tokens = 40;
  const std::vector<int32_t> prompt = repeating(40);
  const Written plain = write_on(prompt, options, {});
  for (size_t at = 0; at < 20; ++at) {
    const std::vector<int32_t> eos = {plain.ids[at]};
    options.eos = eos;
    expect_same(prompt, options);
  }
  options.eos = {};
  for (uint32_t most = 0; most < 12; ++most) {
    options.max_tokens = most;
    expect_same(prompt, options);
  }
}

TEST_CASE("a context that fills ends the text at its last position") {
  GenerateOptions options;
  options.max_tokens = 100;
  expect_same(repeating(40), options, 64);
  options.context_policy = ContextPolicy::slide;
  options.keep = 3;
  expect_same(repeating(40), options, 64);
}

TEST_CASE("a draft that is the model itself is always right") {
  GenerateOptions options;
  options.max_tokens = 50;
  Session drafting = opened(decoder(), {.context = 256, .threads = 1});
  const Written written = write_on(tokens(20), options, {.draft = &drafting, .draft_model = &decoder(), .most = 4, .adaptive = false});
  CHECK(written.drafted > 0);
  CHECK(written.kept == written.drafted);
}

TEST_CASE("several texts at once are written without drafts, and the last of them with") {
  Session session = opened(decoder(), limits());
  GenerateOptions options;
  options.max_tokens = 20;
  options.speculation = {.lookup = true, .adaptive = false};
  Generator generator = must(Generator::create(session, decoder(), options));
  const std::vector<int32_t> first = repeating(30), second = tokens(12);
  must(generator.add({.prompt = first}));
  must(generator.add({.prompt = second}));
  must(generator.run());
  options.speculation = {};
  for (size_t i = 0; i < 2; ++i)
    CHECK(std::vector<int32_t>(generator.ids(i).begin(), generator.ids(i).end()) == write_on(i ? second : first, options, {}).ids);
}

TEST_CASE("a cancellation stops a draft model's run, too, and the text goes on as if nothing had happened") {
  GenerateOptions options;
  options.max_tokens = 6;
  const std::vector<int32_t> prompt = tokens(40), expected = write_on(prompt, options, {}).ids;
  struct Stop {
    Session* writing;
    size_t at, seen = 0;
    static void before(void* user, size_t) {
      auto& self = *static_cast<Stop*>(user);
      if (self.seen++ == self.at) self.writing->cancel();
    }
  };
  Session session = opened(decoder(), limits()), drafting = opened(draft_model(), {.context = 256, .batch_tokens = 16, .threads = 1});
  Stop stop{&session, 0};
  drafting.impl().before_operation = Stop::before;
  drafting.impl().before_operation_user = &stop;
  options.speculation = {.draft = &drafting, .draft_model = &draft_model(), .most = 3, .adaptive = false};
  for (bool cancelled = true; cancelled; ++stop.at) {
    stop.seen = 0;
    Generator generator = must(Generator::create(session, decoder(), options));
    must(generator.add({.prompt = prompt}));
    const Status status = generator.run();
    cancelled = !status.ok();
    if (cancelled) {
      REQUIRE(status.code() == Code::cancelled);
      REQUIRE(stop.seen == stop.at + 1);  // not one operation more
      must(generator.run());
    }
    REQUIRE(std::vector<int32_t>(generator.ids(0).begin(), generator.ids(0).end()) == expected);
  }
  CHECK(stop.at > 3 * draft_model().program(0).operations);
  // What it works for is over: its own runs are its own.
  session.cancel();
  const SequenceId sequence = must(drafting.add());
  must(drafting.prefill("generate", {.sequence = sequence, .tokens = prompt}));
}

TEST_CASE("options that cannot be served are refused by name") {
  Session session = opened(decoder(), limits());
  auto refusal = [&](const Speculation& speculation, Session& with) {
    GenerateOptions options;
    options.speculation = speculation;
    const Status status = Generator::create(with, decoder(), options).status();
    CHECK(!status.ok());
    return std::string(status.message());
  };
  Session narrow = opened(decoder(), {.context = 64}), other = opened(draft_model(), {.context = 64});
  CHECK(refusal({.lookup = true}, narrow).find("limits.outputs") != std::string::npos);
  CHECK(refusal({.lookup = true, .most = 17}, session).find("17") != std::string::npos);
  CHECK(refusal({.lookup = true, .most = 0}, session).find("speculation.most") != std::string::npos);
  CHECK(refusal({.draft = &other}, session).find("draft") != std::string::npos);
  CHECK(refusal({.draft = &other, .draft_model = &decoder()}, session).find("another model") != std::string::npos);
  CHECK(refusal({.lookup = true, .draft = &other, .draft_model = &draft_model()}, session).find("not from both") != std::string::npos);
}
