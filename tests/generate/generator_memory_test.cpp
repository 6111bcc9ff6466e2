// Memory: none is taken for an id once writing has begun, and where it runs out, nothing is lost.
#include <cstdlib>

#include "core/memory.h"
#include "generate/word_writer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

size_t g_count = 0, g_fail_at = 0, g_alive = 0;
void* counted_allocate(size_t bytes) {
  if (++g_count == g_fail_at) return nullptr;
  ++g_alive;
  return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
}
void counted_release(void* memory) {
  if (memory) --g_alive;
  std::free(memory);
}
constexpr core::AllocationHooks kHooks{counted_allocate, counted_release};

struct Hooks {
  explicit Hooks(size_t fail_at) {
    g_count = g_alive = 0, g_fail_at = fail_at;
    core::set_allocation_hooks(&kHooks);
  }
  ~Hooks() { core::set_allocation_hooks(nullptr); }
};

}  // namespace

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
  size_t failures = 0;
  for (bool reached = true; reached; ++failures) {
    Code code;
    {
      const Hooks hooks(failures + 1);
      code = write().code();
      reached = g_count > failures;
      CHECK(g_alive == 0);
    }
    CHECK(code == (reached ? Code::out_of_memory : Code::ok));
    CHECK(session.length(0) + session.length(1) == 0);
  }
  MESSAGE("allocations that were made to fail: ", failures - 1);
  CHECK(failures > 30);
}

TEST_CASE("writing ids takes nothing from the heap once it has begun") {
  struct Counter {
    std::vector<size_t> counts;
    static bool on_token(void* user, const NewToken&) {
      static_cast<Counter*>(user)->counts.push_back(g_count);
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
  const Hooks hooks(0);
  {
    Generator writer = generator(session, options);
    must(writer.add({.prompt = List{1, 2, 3}, .samples = 3}));
    must(writer.run());
  }
  REQUIRE(counter.counts.size() == 120);
  CHECK(counter.counts.back() == counter.counts.front());
}
