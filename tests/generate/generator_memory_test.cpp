// Memory: none is taken for an id once writing has begun, and where it runs out, nothing is lost.
#include "core/failing_memory.h"
#include "generate/word_writer.h"

using namespace linnet;
using namespace linnet::tests;

TEST_CASE("any allocation may fail: an error, nothing lost, and the session is as good as before") {
  const Tokenizer tokenizer = must(Tokenizer::create(decoder()));
  Session session = opened(decoder(), {.context = 64, .sequences = 2});
  const std::string_view stop[] = {"w1 w2", "zzz"};
  GenerateOptions options = kDrawn;
  options.tokenizer = &tokenizer;
  options.stop = stop;
  options.log_probabilities = true;
  options.top_log_probabilities = 3;
  auto write = [&]() -> Status {
    Result<Generator> writer = Generator::create(session, decoder(), options);
    if (!writer.ok()) return std::move(writer).status();
    for (int i = 0; i < 2; ++i)
      if (Result<uint32_t> added = writer->add({.prompt = List{1, 2, 3}, .samples = 2}); !added.ok()) return std::move(added).status();
    return writer->run();
  };
  const size_t failures = fail_every_allocation([&] {
    const Code code = write().code();
    CHECK(session.length(0) + session.length(1) == 0);
    return code;
  });
  MESSAGE("allocations that were made to fail: ", failures);
  CHECK(failures > 30);
}

TEST_CASE("writing ids takes nothing from the heap once it has begun") {
  struct Counter {
    std::vector<size_t> counts;
    static bool on_token(void* user, const NewToken&) {
      static_cast<Counter*>(user)->counts.push_back(FailingMemory::count());
      return true;
    }
  } counter;
  counter.counts.reserve(200);
  Session session = opened(decoder(), {.context = 128, .sequences = 3});
  GenerateOptions options = kDrawn;
  options.max_tokens = 40;
  options.log_probabilities = true;
  options.top_log_probabilities = 4;
  options.on_token = Counter::on_token;
  options.user = &counter;
  const FailingMemory memory;
  {
    Generator writer = generator(session, options);
    must(writer.add({.prompt = List{1, 2, 3}, .samples = 3}));
    must(writer.run());
  }
  REQUIRE(counter.counts.size() == 120);
  CHECK(counter.counts.back() == counter.counts.front());
}
