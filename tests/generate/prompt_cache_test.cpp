// Prompts that begin alike: what is kept, what is handed out, and that the answers are those of a fresh sequence, byte for byte.
#include "linnet/prompt_cache.h"

#include <doctest/doctest.h>

#include "convert/adapters/adapter_folder.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const Model& decoder() {
  static const Model model = open_converted(decoder_checkpoint(), "int8");
  return model;
}

std::vector<int32_t> joined(std::vector<int32_t> first, const std::vector<int32_t>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The logits after `prompt`, computed in a session of its own.
std::vector<float> fresh(const std::vector<int32_t>& prompt, StateEncoding state) {
  Session session = opened(decoder(), {.context = 256, .sequences = 1, .state = state});
  must(session.prefill("generate", {.sequence = must(session.add()), .tokens = prompt}));
  return output(session);
}

/// Asks through the cache; how many ids were not computed again.
uint32_t ask(Session& session, PromptCache& cache, const std::vector<int32_t>& prompt, std::vector<float>* logits = nullptr) {
  const PromptCache::Start start = must(cache.begin(prompt));
  must(session.prefill("generate", {.sequence = start.sequence, .tokens = std::span(prompt).subspan(start.held)}));
  if (logits) *logits = output(session);
  must(cache.end(start.sequence, prompt));
  return start.held;
}

}  // namespace

TEST_CASE("a prompt that continues an earlier one computes only what is new, with the same logits") {
  for (StateEncoding state : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
    Session session = opened(decoder(), {.context = 256, .sequences = 3, .state = state});
    PromptCache cache = must(PromptCache::create(&session));
    const std::vector<int32_t> system = tokens(70), first = joined(system, {5, 6, 7}), second = joined(first, tokens(30, 131, 2)),
                               other = joined(system, {9, 9, 9, 9});
    std::vector<float> logits;
    CHECK(ask(session, cache, first, &logits) == 0);
    CHECK(logits == fresh(first, state));
    CHECK(ask(session, cache, second, &logits) == first.size());
    CHECK(logits == fresh(second, state));
    CHECK(ask(session, cache, other, &logits) == system.size());
    CHECK(logits == fresh(other, state));
    CHECK(ask(session, cache, second, &logits) == second.size() - 1);  // the longer one was kept
    CHECK(logits == fresh(second, state));
  }
}

TEST_CASE("where no sequence is free, the one with the longest beginning is taken back to it") {
  Session session = opened(decoder(), {.context = 256, .sequences = 1});
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> first = tokens(100), branch = joined({first.begin(), first.begin() + 40}, {1, 2, 3});
  CHECK(ask(session, cache, first) == 0);
  std::vector<float> logits;
  CHECK(ask(session, cache, branch, &logits) == 40);
  CHECK(logits == fresh(branch, StateEncoding::as_file));
  CHECK(ask(session, cache, {3, 3, 3}) == 0);  // nothing in common: the only one is given up
  CHECK(ask(session, cache, branch) == 0);
}

TEST_CASE("the sequence that was unused for the longest time is given up first") {
  Session session = opened(decoder(), {.context = 256, .sequences = 2});
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> a = {1, 2, 3, 4}, b = {5, 6, 7, 8}, c = {9, 10, 11, 12};
  ask(session, cache, a);
  ask(session, cache, b);
  ask(session, cache, a);
  ask(session, cache, c);  // b goes
  CHECK(ask(session, cache, a) == 3);
  CHECK(ask(session, cache, c) == 3);
  CHECK(ask(session, cache, b) == 0);
}

TEST_CASE("where others have taken the session's sequences, one that is unused is given up as well") {
  Session session = opened(decoder(), {.context = 256, .sequences = 2});
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> a = {1, 2, 3, 4}, b = {5, 6, 7, 8};
  ask(session, cache, a);
  const SequenceId other = must(session.add());  // the cache has room for two, the session for none
  CHECK(ask(session, cache, b) == 0);
  CHECK(ask(session, cache, b) == 3);
  const PromptCache::Start start = must(cache.begin(b));
  CHECK(cache.begin(a).status().code() == Code::context_full);
  must(cache.end(start.sequence, b));
  must(session.remove(other));
}

TEST_CASE("a sequence is taken in once") {
  Session session = opened(decoder(), {.context = 256, .sequences = 1});
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> ids = tokens(9);
  const SequenceId sequence = must(session.add());
  must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
  must(cache.adopt(sequence, ids));
  CHECK(cache.adopt(sequence, ids).code() == Code::invalid_argument);
  CHECK(cache.find(ids) == sequence);
  CHECK(must(cache.begin(ids)).held == 8);
  CHECK(cache.find(ids) == -1);
  CHECK(cache.adopt(sequence, ids).code() == Code::invalid_argument);  // in use by whoever asked for it
}

TEST_CASE("a sequence in use is nobody else's") {
  Session session = opened(decoder(), {.context = 256, .sequences = 2});
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> prompt = tokens(20);
  ask(session, cache, prompt);
  const PromptCache::Start first = must(cache.begin(prompt)), second = must(cache.begin(prompt));
  CHECK(first.sequence != second.sequence);
  CHECK(first.held == 19);
  CHECK(second.held == 19);
  const Status status = cache.begin(prompt).status();
  CHECK(status.code() == Code::context_full);
  CHECK(std::string(status.message()).find("2") != std::string::npos);
}

TEST_CASE("what a run did not commit is not taken for held") {
  Session session = opened(decoder(), {.context = 256, .sequences = 2});
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> prompt = tokens(20);
  const PromptCache::Start start = must(cache.begin(prompt));
  must(session.prefill("generate", {.sequence = start.sequence, .tokens = std::span(prompt).first(12)}));  // cancelled there
  must(cache.end(start.sequence, prompt));
  std::vector<float> logits;
  CHECK(ask(session, cache, prompt, &logits) == 12);
  CHECK(logits == fresh(prompt, StateEncoding::as_file));
}

TEST_CASE("misuse of the cache is answered, and what is unknown is not kept") {
  Session session = opened(decoder(), {.context = 256, .sequences = 2});
  CHECK(PromptCache::create(&session, 3).status().code() == Code::invalid_argument);
  PromptCache cache = must(PromptCache::create(&session, 2));
  CHECK(cache.begin({}).status().code() == Code::invalid_argument);
  CHECK(cache.end(0, tokens(3)).code() == Code::invalid_argument);
  const std::vector<int32_t> prompt = tokens(20);
  const PromptCache::Start start = must(cache.begin(prompt));
  must(session.prefill("generate", {.sequence = start.sequence, .tokens = prompt}));
  CHECK(cache.end(start.sequence, std::span(prompt).first(19)).code() == Code::invalid_argument);
  CHECK(ask(session, cache, prompt) == 0);
}

TEST_CASE("a cache that goes leaves the session's sequences free") {
  Session session = opened(decoder(), {.context = 256, .sequences = 2});
  {
    PromptCache cache = must(PromptCache::create(&session));
    ask(session, cache, tokens(20));
    ask(session, cache, {1, 2, 3});
  }
  must(session.add());
  must(session.add());
}

TEST_CASE("what one adapter computed is not handed out for another") {
  Session session = opened(decoder(), {.context = 256, .sequences = 3, .adapters = 2, .adapter_rank = 9});
  const AdapterId a = must(session.attach(open_adapter(decoder(), decoder_adapter(5)))),
                  b = must(session.attach(open_adapter(decoder(), decoder_adapter(6))));
  PromptCache cache = must(PromptCache::create(&session));
  const std::vector<int32_t> prompt = tokens(40), longer = joined(prompt, {1, 2, 3});
  std::vector<float> logits[3];
  const AdapterId adapters[] = {kNoAdapter, a, b};
  for (int round = 0; round < 2; ++round)
    for (size_t i = 0; i < 3; ++i) {
      const std::vector<int32_t>& ids = round == 0 ? prompt : longer;
      const PromptCache::Start start = must(cache.begin(ids, adapters[i]));
      CHECK(start.held == (round == 0 ? 0 : prompt.size()));
      CHECK(session.adapter(start.sequence) == adapters[i]);
      must(session.prefill("generate", {.sequence = start.sequence, .tokens = std::span(ids).subspan(start.held)}));
      logits[i] = output(session);
      must(cache.end(start.sequence, ids));
    }
  CHECK(logits[0] == fresh(longer, StateEncoding::as_file));
  CHECK(logits[0] != logits[1]);
  CHECK(logits[1] != logits[2]);
  CHECK(cache.begin(prompt, 9).status().code() == Code::invalid_argument);
}
