// A run can be stopped before any of its operations, and leaves nothing behind.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "runtime/session_impl.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

/// Cancels from another thread before operation `at`, counted over all runs, and remembers how far it came.
struct Canceller {
  Session* session = nullptr;
  size_t at = 0, seen = 0;

  static void before(void* user, size_t) {
    auto& self = *static_cast<Canceller*>(user);
    if (self.seen++ == self.at) std::thread([&] { self.session->cancel(); }).join();
  }
};

}  // namespace

TEST_CASE("a run that is cancelled before any operation is as if it had not been") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  const std::vector<int32_t> ids = tokens(90);
  const Limits limits{.context = 128, .batch_tokens = 32, .sequences = 2, .threads = 2, .state = StateEncoding::int8};
  std::vector<float> expected;
  size_t operations = 0;
  {
    Session session = opened(model, limits);
    Canceller counter{&session, SIZE_MAX};
    session.impl().before_operation = Canceller::before;
    session.impl().before_operation_user = &counter;
    const Input input{.sequence = must(session.add()), .tokens = ids};
    must(session.prefill("generate", input));
    expected = output(session);
    operations = counter.seen;
  }
  CHECK(operations == 3 * model.program(0).operations);
  for (size_t at = 0; at < operations; ++at) {
    CAPTURE(at);
    Session session = opened(model, limits);
    const SequenceId sequence = must(session.add());
    must(session.prefill("generate", {.sequence = sequence, .tokens = std::span(ids).first(10)}));
    const SequenceId watcher = must(session.fork(sequence));
    Canceller canceller{&session, at};
    session.impl().before_operation = Canceller::before;
    session.impl().before_operation_user = &canceller;
    // 80 tokens after 10, in chunks of 32: 3 runs again
    const Input rest{.sequence = sequence, .tokens = std::span(ids).subspan(10)};
    CHECK(session.prefill("generate", rest).code() == Code::cancelled);
    CHECK(canceller.seen == at + 1);  // not one operation more
    CHECK(session.length(sequence) == 10);
    CHECK(!session.output("logits").ok());
    session.impl().before_operation = nullptr;
    must(session.prefill("generate", rest));
    CHECK(same_bytes(output(session), expected));
    must(session.prefill("generate", {.sequence = watcher, .tokens = rest.tokens}));
    CHECK(same_bytes(output(session), expected));
  }
}

TEST_CASE("a cancellation counts for the run in progress only") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  Session session = opened(model, {.threads = 1});
  session.cancel();
  const std::vector<int32_t> ids = tokens(5);
  must(session.prefill("generate", {.sequence = must(session.add()), .tokens = ids}));
}

TEST_CASE("a second thread is told that the session is busy, and does no harm") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  Session session = opened(model, {.threads = 2});
  struct Intruder {
    Session* session;
    SequenceId sequence;
    std::vector<Code> codes;
    static void before(void* user, size_t operation) {
      auto& self = *static_cast<Intruder*>(user);
      if (operation != 3) return;
      std::thread([&] {
        const int32_t id = 1;
        const Input input{.sequence = self.sequence, .tokens = {&id, 1}};
        self.codes = {self.session->run("generate", {&input, 1}).code(),
                      self.session->prefill("generate", input).code(),
                      self.session->add().status().code(),
                      self.session->fork(self.sequence).status().code(),
                      self.session->remove(self.sequence).code(),
                      self.session->rewind(self.sequence, 0).code(),
                      self.session->save(self.sequence, "/dev/null").code(),
                      self.session->restore("/dev/null").status().code()};
      }).join();
    }
  } intruder{&session, must(session.add()), {}};
  session.impl().before_operation = Intruder::before;
  session.impl().before_operation_user = &intruder;
  const std::vector<int32_t> ids = tokens(5);
  must(session.prefill("generate", {.sequence = intruder.sequence, .tokens = ids}));
  CHECK(intruder.codes == std::vector<Code>(8, Code::busy));
  CHECK(session.length(intruder.sequence) == 5);
}
