// Writing from a source: encoder-decoders in the generator and in beam search.
#include <doctest/doctest.h>

#include "linnet/beam_search.h"
#include "linnet/generate.h"
#include "linnet/prompt_cache.h"
#include "runtime/session_impl.h"
#include "runtime/small_translator.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

constexpr int32_t kIds = 61;
using Indices = std::vector<int32_t>;

const Model& model() {
  static const Model converted = open_converted(translator_checkpoint(), "int8");
  return converted;
}

Limits limits(uint32_t sequences, uint32_t sources = 0) {
  return {.context = 40, .sequences = sequences, .source_tokens = 100, .sources = sources, .threads = 1};
}

/// What greedy writing gives, by runs of one token.
Indices by_hand(const Indices& source, size_t count) {
  Session session = opened(model(), limits(1));
  const SequenceId sequence = with_source(&session, source);
  Indices ids;
  for (int32_t id = 0; ids.size() < count; ids.push_back(id)) {
    must(session.prefill("decode", {.sequence = sequence, .tokens = {&id, 1}}));
    const std::vector<float> logits = output(session);
    id = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  return ids;
}

Indices list(std::span<const int32_t> ids) { return {ids.begin(), ids.end()}; }

}  // namespace

TEST_CASE("texts are written from their sources, whoever is written beside them") {
  std::vector<Indices> sources, expected;
  for (uint32_t i = 0; i < 7; ++i) {
    sources.push_back(tokens(5 + 13 * i, kIds, i));
    expected.push_back(by_hand(sources.back(), 12));
  }
  CHECK(expected[0] != expected[1]);
  // With room for all, for some, and for one source at a time.
  for (const Limits& room : {limits(7), limits(4), limits(4, 2), limits(3, 1)}) {
    Session session = opened(model(), room);
    Generator writer = must(Generator::create(session, model(), {.max_tokens = 12}));
    for (const Indices& source : sources) must(writer.add({.source = source}));
    must(writer.run());
    for (size_t i = 0; i < sources.size(); ++i) CHECK(list(writer.ids(i)) == expected[i]);
  }
}

TEST_CASE("samples of one text share its source") {
  const Indices source = tokens(70, kIds, 3);
  GenerateOptions options{.max_tokens = 10};
  options.sampling.temperature = 1;
  Session roomy = opened(model(), limits(3)), narrow = opened(model(), limits(3, 1));
  Generator a = must(Generator::create(roomy, model(), options)), b = must(Generator::create(narrow, model(), options));
  must(a.add({.samples = 3, .source = source}));
  must(b.add({.samples = 3, .source = source}));
  must(a.run());
  must(b.run());
  for (size_t i = 0; i < 3; ++i) CHECK(list(a.ids(i)) == list(b.ids(i)));
  CHECK(list(a.ids(0)) != list(a.ids(1)));
}

TEST_CASE("a cancelled generator goes on, its sources read or not") {
  const Indices first = tokens(30, kIds, 5), second = tokens(8, kIds, 6);
  Session session = opened(model(), limits(2));
  Generator writer = must(Generator::create(session, model(), {.max_tokens = 8}));
  must(writer.add({.source = first}));
  must(writer.add({.source = second}));
  struct At {
    Session* session;
    size_t left;
    static void before(void* user, size_t) {
      if (At& at = *static_cast<At*>(user); at.left-- == 0) at.session->cancel();
    }
  };
  for (size_t at : {3u, 20u, 60u}) {
    At cancel{&session, at};
    session.impl().before_operation = At::before;
    session.impl().before_operation_user = &cancel;
    CHECK(writer.run().code() == Code::cancelled);
  }
  session.impl().before_operation = nullptr;
  must(writer.run());
  CHECK(list(writer.ids(0)) == by_hand(first, 8));
  CHECK(list(writer.ids(1)) == by_hand(second, 8));
}

TEST_CASE("a sequence that holds a source is written on") {
  const Indices source = tokens(20, kIds, 8), expected = by_hand(source, 9);
  Session session = opened(model(), limits(2));
  const SequenceId sequence = with_source(&session, source);
  Ids ids;
  const GenerateReport report = must(generate(session, model(), sequence, {}, {.max_tokens = 4}, &ids));
  const int32_t next = report.unread;
  CHECK(generate(session, model(), sequence, {}, {.max_tokens = 5}, &ids).status().code() == Code::invalid_argument);
  must(generate(session, model(), sequence, {&next, 1}, {.max_tokens = 5}, &ids));
  CHECK(list({ids.data(), ids.size()}) == expected);
}

TEST_CASE("beams share one source; one beam is greedy") {
  const Indices source = tokens(70, kIds, 9);
  Session session = opened(model(), limits(4, 1));
  const BeamOptions one{.beams = 1, .max_tokens = 9, .source = source};
  CHECK(list(must(beam_search(session, model(), {}, one)).ids(0)) == by_hand(source, 9));
  const BeamOptions four{.beams = 4, .max_tokens = 9, .source = source};
  const BeamSearch found = must(beam_search(session, model(), {}, four));
  CHECK(found.results() == 4);
  // The sum of the best one's log-probabilities, counted again.
  const SequenceId sequence = with_source(&session, source);
  double sum = 0;
  int32_t id = 0;
  for (int32_t next : found.ids(0)) {
    must(session.prefill("decode", {.sequence = sequence, .tokens = {&id, 1}}));
    const std::vector<float> logits = output(session);
    double total = 0;
    for (float logit : logits) total += std::exp(double{logit});
    sum += double{logits[static_cast<size_t>(next)]} - std::log(total);
    id = next;
  }
  CHECK(found.score(0) == doctest::Approx(sum / 9).epsilon(1e-5));
}

TEST_CASE("sources that are missing, too long or not wanted are refused") {
  Session session = opened(model(), limits(2));
  Generator writer = must(Generator::create(session, model(), {.max_tokens = 4}));
  CHECK(writer.add({}).status().code() == Code::invalid_argument);
  const Indices prompt = {0}, source = tokens(101, kIds);
  CHECK(writer.add({.prompt = prompt}).status().code() == Code::invalid_argument);
  CHECK(writer.add({.source = source}).status().code() == Code::context_full);
  CHECK(beam_search(session, model(), {}, {.beams = 2}).status().code() == Code::invalid_argument);
  CHECK(PromptCache::create(&session).status().code() == Code::unsupported);
  const Model decoder = open_converted(decoder_checkpoint(), "f32");
  Session plain = opened(decoder, {.context = 32, .threads = 1});
  Generator other = must(Generator::create(plain, decoder, {.max_tokens = 4}));
  CHECK(other.add({.prompt = prompt, .source = prompt}).status().code() == Code::invalid_argument);
  CHECK(other.add({.source = prompt}).status().code() == Code::invalid_argument);
}
