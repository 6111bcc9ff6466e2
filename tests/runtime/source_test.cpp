// Encoder-decoders: a source is read once, replaced as a whole, shared by forks, and seen by every token of the sequence.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "runtime/session_impl.h"
#include "runtime/small_translator.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

constexpr size_t kIds = 61;

Limits limits(uint32_t sequences = 3, uint32_t threads = 1, uint32_t sources = 0) {
  return {.context = 200,
          .batch_tokens = 200,
          .sequences = sequences,
          .outputs = 200,
          .source_tokens = 150,
          .sources = sources,
          .threads = threads};
}

const std::vector<int32_t> kFirst = tokens(70, kIds, 2), kSecond = tokens(9, kIds, 3), kText = tokens(100, kIds, 4);

std::vector<float> reference(const Model& model, const std::vector<int32_t>& source, StateEncoding state = StateEncoding::as_file) {
  Limits one = limits(1);
  one.state = state;
  Session session = opened(model, one);
  return decoded(&session, with_source(&session, source), kText);
}

size_t free_pages(const Session& session) {
  size_t count = 0;
  for (const runtime::Pool& pool : session.impl().pools) count += pool.free_count;
  return count;
}

bool says(const Status& status, const char* word) { return std::string(status.message()).find(word) != std::string::npos; }

}  // namespace

TEST_CASE("what is decoded depends on source and text alone: not on chunks, threads or neighbours") {
  for (const char* weights : {"f32", "int8", "int4"})
    for (StateEncoding state : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
      CAPTURE(weights);
      const Model model = open_converted(translator_checkpoint(), weights);
      const std::vector<float> first = reference(model, kFirst, state), second = reference(model, kSecond, state);
      CHECK(!same_bytes(first, second));
      for (uint32_t threads : {1u, 3u})
        for (size_t chunk : {1u, 7u, 64u, 100u}) {
          Limits many = limits(3, threads);
          many.state = state;
          Session session = opened(model, many);
          // Both sources in one run, packed.
          const SequenceId a = must(session.add()), b = must(session.add());
          const Input sources[] = {{.sequence = b, .tokens = kSecond}, {.sequence = a, .tokens = kFirst}};
          must(session.run("encode", sources));
          CHECK(same_bytes(decoded(&session, a, kText, chunk), first));
          CHECK(same_bytes(decoded(&session, b, kText, chunk), second));
        }
    }
}

TEST_CASE("the encoder's output is the same alone and packed") {
  const Model model = open_converted(translator_checkpoint(), "int8");
  Session session = opened(model, limits());
  const SequenceId a = with_source(&session, kFirst);
  const std::vector<float> first = output(session, "encoder_last_hidden_state");
  CHECK(first.size() == kFirst.size() * 36);
  const SequenceId b = with_source(&session, kSecond);
  const std::vector<float> second = output(session, "encoder_last_hidden_state");
  const Input sources[] = {{.sequence = a, .tokens = kFirst}, {.sequence = b, .tokens = kSecond}};
  must(session.run("encode", sources));
  std::vector<float> both = first;
  both.insert(both.end(), second.begin(), second.end());
  CHECK(same_bytes(output(session, "encoder_last_hidden_state"), both));
}

TEST_CASE("a fork shares the source, a rewind keeps it, a new one takes its place for its own sequence alone") {
  const Model model = open_converted(translator_checkpoint(), "int8");
  const std::vector<float> first = reference(model, kFirst), second = reference(model, kSecond);
  Session session = opened(model, limits());
  const size_t all = free_pages(session);
  const SequenceId a = with_source(&session, kFirst);
  const size_t with_one = free_pages(session);
  CHECK(all - with_one == 2);  // 70 tokens
  const SequenceId b = must(session.fork(a));
  CHECK(free_pages(session) == with_one);
  CHECK(same_bytes(decoded(&session, b, kText, 30), first));
  must(session.rewind(b, 100));
  CHECK(same_bytes(decoded(&session, b, kText, 100), first));
  must(session.remove(b));
  must(session.prefill("encode", {.sequence = a, .tokens = kSecond}));
  CHECK(free_pages(session) == all - 1);
  CHECK(same_bytes(decoded(&session, a, kText), second));
  must(session.remove(a));
  CHECK(free_pages(session) == all);
}

TEST_CASE("forks keep the source that one of them replaces") {
  const Model model = open_converted(translator_checkpoint(), "f32");
  Session session = opened(model, limits());
  const SequenceId a = with_source(&session, kFirst), b = must(session.fork(a));
  must(session.prefill("encode", {.sequence = a, .tokens = kSecond}));
  CHECK(same_bytes(decoded(&session, b, kText), reference(model, kFirst)));
  CHECK(same_bytes(decoded(&session, a, kText), reference(model, kSecond)));
}

TEST_CASE("as many sources as planned are kept, and one run of new ones finds room beside them") {
  const Model model = open_converted(translator_checkpoint(), "f32");
  Session session = opened(model, limits(4, 1, 2));
  const std::vector<int32_t> whole = tokens(150, kIds, 5), half = tokens(75, kIds, 6);
  const SequenceId a = with_source(&session, whole), b = with_source(&session, whole);
  for (int i = 0; i < 3; ++i) {
    must(session.prefill("encode", {.sequence = a, .tokens = whole}));
    const Input both[] = {{.sequence = a, .tokens = half}, {.sequence = b, .tokens = half}};
    must(session.run("encode", both));
    must(session.prefill("encode", {.sequence = b, .tokens = whole}));
  }
  must(session.prefill("encode", {.sequence = a, .tokens = whole}));
  // A third and a fourth are more than was planned; what there is stays.
  with_source(&session, whole);
  const SequenceId d = must(session.add());
  const Status status = session.prefill("encode", {.sequence = d, .tokens = whole});
  CHECK(status.code() == Code::context_full);
  CHECK(says(status, "limits.sources"));
  const std::vector<float> expected = reference(model, whole);
  CHECK(same_bytes(decoded(&session, b, kText), expected));
}

TEST_CASE("a source that failed, was cancelled or not committed leaves the one before") {
  const Model model = open_converted(translator_checkpoint(), "int8");
  const std::vector<float> first = reference(model, kFirst);
  Session session = opened(model, limits());
  const SequenceId a = with_source(&session, kFirst), b = must(session.add());
  const size_t before = free_pages(session);
  struct At {
    Session* session;
    size_t operation;
    static void before(void* user, size_t operation) {
      if (operation == static_cast<At*>(user)->operation) static_cast<At*>(user)->session->cancel();
    }
  };
  const size_t operations = model.program(0).operations;
  REQUIRE(model.program(0).name == "encode");
  for (size_t at = 0; at < operations; ++at) {
    At cancel{&session, at};
    session.impl().before_operation = At::before;
    session.impl().before_operation_user = &cancel;
    const Input both[] = {{.sequence = b, .tokens = kSecond}, {.sequence = a, .tokens = kSecond}};
    CHECK(session.run("encode", both).code() == Code::cancelled);
    CHECK(free_pages(session) == before);
  }
  session.impl().before_operation = nullptr;
  must(session.run("encode", std::vector<Input>{{.sequence = a, .tokens = kSecond}}, {.commit = false}));
  CHECK(free_pages(session) == before);
  const std::vector<int32_t> beyond = {3, 61};
  CHECK(session.prefill("encode", {.sequence = a, .tokens = beyond}).code() == Code::invalid_argument);
  CHECK(same_bytes(decoded(&session, a, kText), first));
  const Status status = session.prefill("decode", {.sequence = b, .tokens = kText});
  CHECK(status.code() == Code::invalid_argument);
  CHECK(says(status, "no source"));
}

TEST_CASE("limits bound the source of one run, and the text beside it") {
  const Model model = open_converted(translator_checkpoint(), "f32");
  Session session = opened(model, limits());
  const SequenceId a = must(session.add()), b = must(session.add());
  const std::vector<int32_t> long_one = tokens(151, kIds);
  Status status = session.prefill("encode", {.sequence = a, .tokens = long_one});
  CHECK(status.code() == Code::invalid_argument);
  CHECK(says(status, "limits.source_tokens is 150"));
  const Input both[] = {{.sequence = a, .tokens = std::span(long_one).first(100)},
                        {.sequence = b, .tokens = std::span(long_one).first(51)}};
  CHECK(says(session.run("encode", both), "151 source tokens"));
  CHECK(session.prefill("encode", {.sequence = a}).code() == Code::invalid_argument);
  must(session.prefill("encode", {.sequence = a, .tokens = std::span(long_one).first(150)}));
  CHECK(session.length(a) == 0);
  must(session.prefill("decode", {.sequence = a, .tokens = kText}));
  CHECK(session.length(a) == 100);
  const Plan defaults = planned(model, {.sequences = 5});
  CHECK(defaults.limits().source_tokens == 1024);
  CHECK(defaults.limits().sources == 5);
  CHECK(defaults.limits().outputs == 5);
  CHECK(says(plan(model, {.sequences = 2, .sources = 3}).status(), "limits.sources is 3"));
}

TEST_CASE("sources that are shared cost pages once") {
  const Model model = open_converted(translator_checkpoint(), "f32");
  const Plan one = planned(model, {.context = 64, .sequences = 8, .source_tokens = 128, .sources = 1}),
             eight = planned(model, {.context = 64, .sequences = 8, .source_tokens = 128});
  // 2 pages for each source and for one run, and one more for each further source of a run; 2 layers of keys and values, 3 x 10 floats.
  const uint64_t page = 2 * 2 * (30 * 64 * 4);
  CHECK(eight.state() - one.state() == (2 * 9 + 7 - 2 * 2) * page);
}

TEST_CASE("a source is saved with its sequence") {
  const Model model = open_converted(translator_checkpoint(), "int8");
  convert::CheckpointFolder folder("source");
  const std::string path = folder.path("state");
  Session session = opened(model, limits());
  const SequenceId a = with_source(&session, kFirst);
  must(session.prefill("decode", {.sequence = a, .tokens = std::span(kText).first(66)}));
  must(session.save(a, path.c_str()));
  const std::span<const int32_t> rest = std::span(kText).subspan(66);
  const std::vector<float> expected = decoded(&session, a, rest);

  Session other = opened(model, limits(1));
  const size_t all = free_pages(other);
  const SequenceId restored = must(other.restore(path.c_str()));
  CHECK(other.length(restored) == 66);
  CHECK(same_bytes(decoded(&other, restored, rest), expected));
  must(other.remove(restored));
  CHECK(free_pages(other) == all);

  Limits small = limits(1);
  small.source_tokens = 69;
  Session narrow = opened(model, small);
  const Status status = narrow.restore(path.c_str()).status();
  CHECK(status.code() == Code::context_full);
  CHECK(says(status, "source of 70 tokens"));
  // One byte of the header or of the pages is enough to tell.
  for (size_t at : {56u, 63u, 64u, 5000u}) {
    std::string bytes;
    {
      std::ifstream file(path, std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(folder.path("damaged"), std::ios::binary) << bytes;
    CHECK(other.restore(folder.path("damaged").c_str()).status().code() != Code::ok);
    CHECK(free_pages(other) == all);
  }
  // A source alone, before a text is begun.
  const SequenceId begun = with_source(&session, kSecond);
  must(session.save(begun, path.c_str()));
  CHECK(same_bytes(decoded(&other, must(other.restore(path.c_str())), kText), reference(model, kSecond)));
}
