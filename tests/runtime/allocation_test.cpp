// Memory: none is taken while running, and where it runs out while preparing, nothing is lost.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>

#include "convert/adapters/adapter_folder.h"
#include "core/failing_memory.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LINNET_COUNTS_HEAP 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LINNET_COUNTS_HEAP 0
#endif
#endif
#if !defined(LINNET_COUNTS_HEAP) && defined(__GLIBC__)
#define LINNET_COUNTS_HEAP 1
#endif

#if LINNET_COUNTS_HEAP
// The C library's allocator, with a counter in front: every thread's calls, whoever makes them.
static std::atomic<size_t> g_calls{0};
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
void* malloc(size_t bytes) {
  ++g_calls;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  ++g_calls;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  ++g_calls;
  return __libc_realloc(memory, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  ++g_calls;
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  ++g_calls;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  ++g_calls;
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : 12;
}
void free(void* memory) {
  if (memory) ++g_calls;
  __libc_free(memory);
}
}

namespace {

template <class Work>
size_t heap_calls(Work work) {
  const size_t before = g_calls;
  work();
  return g_calls - before;
}

}  // namespace

TEST_CASE("the counter counts") {
  CHECK(heap_calls([] { ::operator delete(::operator new(3)); }) == 2);
  CHECK(heap_calls([] { core::release(core::allocate(100)); }) == 2);
}

TEST_CASE("a run takes nothing from the heap, and neither do its threads") {
  const std::vector<int32_t> ids = tokens(90);
  for (const char* weights : {"f32", "f16", "int8", "int4"})
    for (StateEncoding state : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8})
      for (uint32_t threads : {1u, 2u}) {
        CAPTURE(weights);
        CAPTURE(threads);
        const Model model = open_converted(decoder_checkpoint(), weights);
        Session session = opened(model, {.context = 256, .batch_tokens = 48, .sequences = 3, .threads = threads, .state = state});
        const SequenceId a = must(session.add()), b = must(session.add());
        bool ok = true;
        const size_t calls = heap_calls([&] {
          ok = ok && session.prefill("generate", {.sequence = a, .tokens = ids}).ok();
          for (int32_t i = 0; i < 40; ++i) {
            const Input input{.sequence = a, .tokens = {&i, 1}};
            ok = ok && session.run("generate", {&input, 1}).ok();
          }
          const Input both[] = {{.sequence = a, .tokens = std::span(ids).first(20)}, {.sequence = b, .tokens = std::span(ids).first(7)}};
          ok = ok && session.run("generate", {both, 2}).ok();
          const Result<SequenceId> fork = session.fork(a);
          ok = ok && fork.ok() && session.rewind(a, 30).ok() && session.run("generate", {both, 2}).ok() && session.remove(*fork).ok();
          ok = ok && session.run("generate", {both, 1}, {.commit = false}).ok() && session.output("logits").ok();
        });
        CHECK(ok);
        CHECK(calls == 0);
      }
  for (const char* weights : {"f32", "int8", "int4"})
    for (uint32_t threads : {1u, 2u}) {
      const Model model = open_converted(encoder_checkpoint(), weights);
      Session session = opened(model, {.threads = threads});
      const std::vector<int32_t> text = tokens(100, 97);
      bool ok = true;
      CHECK(heap_calls([&] {
              for (size_t length : {100u, 1u, 33u}) {
                const Input input{.tokens = std::span(text).first(length)};
                ok = ok && session.run("encode", {&input, 1}).ok();
              }
            }) == 0);
      CHECK(ok);
    }
}

TEST_CASE("a run with adapters, attaching and switching them take nothing from the heap") {
  const std::vector<int32_t> ids = tokens(40), text = tokens(60, 97);
  for (const char* weights : {"f32", "f16", "int8", "int4"})
    for (uint32_t threads : {1u, 2u}) {
      CAPTURE(std::string(weights));
      const Model decoder = open_converted(decoder_checkpoint(), weights), encoder = open_converted(encoder_checkpoint(), weights);
      const Adapter a = open_adapter(decoder, decoder_adapter(5)), b = open_adapter(decoder, decoder_adapter(6)),
                    c = open_adapter(encoder, encoder_adapter());
      Session session = opened(decoder, {.context = 256, .sequences = 3, .threads = threads, .adapters = 2, .adapter_rank = 9});
      Session reader = opened(encoder, {.sequences = 2, .threads = threads, .adapters = 1, .adapter_rank = 3});
      const SequenceId first = must(session.add()), second = must(session.add());
      bool ok = true;
      const size_t calls = heap_calls([&] {
        const Result<AdapterId> one = session.attach(a), other = session.attach(b), third = reader.attach(c);
        ok = ok && one.ok() && other.ok() && third.ok() && session.use(first, *one).ok() && session.use(second, *other).ok();
        const Input both[] = {{.sequence = first, .tokens = ids}, {.sequence = second, .tokens = std::span(ids).first(7)}};
        ok = ok && session.run("generate", {both, 2}).ok() && session.use(second, kNoAdapter).ok() &&
             session.run("generate", {both, 2}).ok();
        ok = ok && session.detach(*other).ok();
        const Input texts[] = {{.tokens = text, .adapter = *third}, {.tokens = std::span(text).first(9)}};
        ok = ok && reader.run("encode", {texts, 2}).ok();
      });
      CHECK(ok);
      CHECK(calls == 0);
    }
}

TEST_CASE("a session in the caller's arena takes nothing large from the heap") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  const Plan plan = planned(model, {.context = 64, .threads = 1});
  struct alignas(64) Line {
    uint8_t bytes[64];
  };
  std::vector<Line> memory(static_cast<size_t>(plan.arena() / 64 + 1));
  CHECK(heap_calls([&] { must(Session::create(model, plan, {memory.data(), memory.size() * 64})); }) == 0);
}
#endif

TEST_CASE("open, plan, session and run survive the failure of any allocation") {
  const convert::CheckpointFolder folder("allocation");
  size_t failures = 0;
  for (const char* weights : {"f32", "int8", "int4"})
    for (const bool decoder : {true, false}) {
      folder.write(decoder ? decoder_checkpoint() : encoder_checkpoint());
      convert::Options options;
      options.weights = weights;
      const std::string path = folder.path("out.linnet");
      convert::convert(folder.path(), path, options);
      const std::vector<int32_t> ids = tokens(20, 97);
      for (bool map : {true, false})
        failures += fail_every_allocation([&]() -> Code {
          Result<Model> model = Model::open(path.c_str(), {.map = map});
          if (!model.ok()) return model.status().code();
          Result<Plan> plan = linnet::plan(*model, {.context = 64, .threads = 2});
          if (!plan.ok()) return plan.status().code();
          Result<Session> session = Session::create(*model, *plan);
          if (!session.ok()) return session.status().code();
          Input input{.tokens = ids};
          if (decoder) input.sequence = session->add().ok() ? 0 : 1;
          const Status status = session->run(decoder ? "generate" : "encode", {&input, 1});
          return status.code();
        });
    }
  MESSAGE("allocations that were made to fail: ", failures);
  CHECK(failures > 12 * 10);
}

TEST_CASE("opening an adapter and running with it survive the failure of any allocation") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  const convert::CheckpointFolder folder("adapter-allocation");
  decoder_adapter().write(folder);
  const std::string path = folder.path("a.linnet");
  convert::convert_adapter(folder.path(), model.file(), path);
  const std::vector<int32_t> ids = tokens(20);
  size_t failures = 0;
  for (bool map : {true, false})
    failures += fail_every_allocation([&]() -> Code {
      Result<Adapter> adapter = Adapter::open(model, path.c_str(), {.map = map});
      if (!adapter.ok()) return adapter.status().code();
      Result<Plan> plan = linnet::plan(model, {.context = 64, .threads = 2, .adapters = 1, .adapter_rank = 9});
      if (!plan.ok()) return plan.status().code();
      Result<Session> session = Session::create(model, *plan);
      if (!session.ok()) return session.status().code();
      const Result<AdapterId> id = session->attach(*adapter);
      if (!id.ok() || !session->add().ok() || !session->use(0, *id).ok()) return Code::busy;
      const Input input{.tokens = ids};
      return session->run("generate", {&input, 1}).code();
    });
  CHECK(failures > 2 * 12);
}
