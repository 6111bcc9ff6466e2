#include "linnet/session.h"

#include <doctest/doctest.h>

#include <string>

#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Decoder {
  Model model = open_converted(decoder_checkpoint(), "f32");
  Session session = opened(model, {.context = 100, .batch_tokens = 32, .sequences = 2, .threads = 1});
};

std::string refusal(const Status& status, Code code) {
  CHECK(status.code() == code);
  return status.message();
}

bool says(const std::string& text, std::initializer_list<const char*> words) {
  for (const char* word : words)
    if (text.find(word) == std::string::npos) return false;
  return true;
}

}  // namespace

TEST_CASE("a token beyond the vocabulary is named by place and number, and nothing happens") {
  Decoder d;
  const SequenceId sequence = must(d.session.add());
  for (int32_t wrong : {131, -1, INT32_MAX, INT32_MIN}) {
    const int32_t ids[] = {1, 2, wrong};
    const Input input{.sequence = sequence, .tokens = ids};
    CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::invalid_argument), {"token 2", std::to_string(wrong).c_str(), "131"}));
  }
  CHECK(d.session.length(sequence) == 0);
}

TEST_CASE("what does not fit is refused with both numbers") {
  Decoder d;
  const SequenceId sequence = must(d.session.add());
  const std::vector<int32_t> ids = tokens(101);
  Input input{.sequence = sequence, .tokens = std::span(ids).first(33)};
  CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::invalid_argument), {"33 tokens", "limits.batch_tokens is 32"}));
  input.tokens = ids;
  CHECK(says(refusal(d.session.prefill("generate", input), Code::context_full), {"101 tokens", "100"}));
  input.tokens = std::span(ids).first(90);
  must(d.session.prefill("generate", input));
  input.tokens = std::span(ids).first(11);
  CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::context_full), {"11 tokens after 90", "100"}));
  CHECK(d.session.length(sequence) == 90);
  input.tokens = std::span(ids).first(10);
  must(d.session.run("generate", {&input, 1}));
  CHECK(d.session.length(sequence) == 100);
}

TEST_CASE("wrong calls are refused in words") {
  Decoder d;
  const SequenceId sequence = must(d.session.add());
  const int32_t ids[] = {1, 2, 3};
  Input input{.sequence = sequence, .tokens = ids};
  CHECK(says(refusal(d.session.run("encode", {&input, 1}), Code::not_found), {"encode"}));
  CHECK(says(refusal(d.session.run("generate", {}), Code::invalid_argument), {"no inputs"}));
  const Input twice[] = {input, input};
  CHECK(says(refusal(d.session.run("generate", {twice, 2}), Code::invalid_argument), {"twice"}));
  input.tokens = {};
  CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::invalid_argument), {"no tokens"}));
  input.tokens = ids;
  const uint32_t falling[] = {2, 1};
  input.output_rows = falling;
  CHECK(says(refusal(d.session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::listed}), Code::invalid_argument), {"rise"}));
  input.output_rows = {};
  const int32_t types[] = {0};
  const int32_t positions[] = {0, 1, -1};
  input.positions = positions;
  CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::invalid_argument), {"position"}));
  input.positions = {};
  for (uint32_t total : {2u, 101u, UINT32_MAX}) {
    input.total_length = total;
    CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::invalid_argument), {"total_length", std::to_string(total).c_str(), "100"}));
  }
  input.total_length = 100;
  input.token_types = types;   // a role that this program does not have
  must(d.session.run("generate", {&input, 1}));
  CHECK(says(refusal(d.session.output("hidden").status(), Code::not_found), {"hidden"}));
  input.sequence = 7;
  CHECK(says(refusal(d.session.run("generate", {&input, 1}), Code::invalid_argument), {"no sequence 7"}));
}

TEST_CASE("sequences come and go within the plan") {
  Decoder d;
  const SequenceId first = must(d.session.add()), second = must(d.session.add());
  CHECK(first != second);
  CHECK(says(refusal(d.session.add().status(), Code::context_full), {"2 planned sequences"}));
  CHECK(says(refusal(d.session.fork(first).status(), Code::context_full), {"2 planned sequences"}));
  must(d.session.remove(first));
  CHECK(refusal(d.session.remove(first), Code::invalid_argument) == "there is no sequence " + std::to_string(first));
  CHECK(must(d.session.fork(second)) == first);
  CHECK(says(refusal(d.session.rewind(second, 1), Code::invalid_argument), {"0 positions", "1"}));
  CHECK(d.session.length(99) == 0);
}

TEST_CASE("before the first run and after a failed one there is no output") {
  Decoder d;
  CHECK(refusal(d.session.output("logits").status(), Code::not_found) == "there is no finished run whose outputs could be read");
  const int32_t ids[] = {1, 2, 3};
  Input input{.sequence = must(d.session.add()), .tokens = ids};
  must(d.session.run("generate", {&input, 1}));
  CHECK(must(d.session.output("logits")).rows == 1);
  const int32_t wrong[] = {200};
  input.tokens = wrong;
  CHECK(!d.session.run("generate", {&input, 1}).ok());
  CHECK(!d.session.output("logits").ok());
}

TEST_CASE("the caller's arena is all that a session takes") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  const Plan plan = planned(model, {.context = 64, .threads = 2});
  const size_t bytes = static_cast<size_t>(plan.arena());
  std::vector<uint8_t> memory(bytes + 64 + 2 * 4096, 0xa5);
  uint8_t* arena = memory.data() + 4096;
  arena += (64 - reinterpret_cast<uintptr_t>(arena) % 64) % 64;
  CHECK(says(refusal(Session::create(model, plan, {arena, bytes - 1}).status(), Code::invalid_argument), {std::to_string(bytes).c_str()}));
  CHECK(says(refusal(Session::create(model, plan, {arena + 32, bytes}).status(), Code::invalid_argument), {"64"}));
  const std::vector<int32_t> ids = tokens(60);
  std::vector<float> lent;
  {
    Session session = must(Session::create(model, plan, {arena, bytes}));
    const Input input{.sequence = must(session.add()), .tokens = ids};
    must(session.run("generate", {&input, 1}));
    lent = output(session);
  }
  for (const uint8_t* at = memory.data(); at < arena; ++at) REQUIRE(*at == 0xa5);
  for (const uint8_t* at = arena + bytes; at < memory.data() + memory.size(); ++at) REQUIRE(*at == 0xa5);
  Session own = must(Session::create(model, plan));
  const Input input{.sequence = must(own.add()), .tokens = ids};
  must(own.run("generate", {&input, 1}));
  CHECK(same_bytes(output(own), lent));
}

TEST_CASE("what an arena held before makes no difference") {
  const Model model = open_converted(decoder_checkpoint(), "int4");
  const Plan plan = planned(model, {.context = 64, .sequences = 2, .threads = 1, .state = StateEncoding::int8});
  const std::vector<int32_t> ids = tokens(50);
  std::vector<std::vector<float>> results;
  for (int fill : {0, 0xff, 0x7f}) {
    struct alignas(64) Line {
      uint8_t bytes[64];
    };
    std::vector<Line> memory(static_cast<size_t>(plan.arena() / 64 + 1));
    std::memset(memory.data(), fill, memory.size() * 64);
    Session session = must(Session::create(model, plan, {memory.data(), memory.size() * 64}));
    const Input inputs[] = {{.sequence = must(session.add()), .tokens = ids}, {.sequence = must(session.add()), .tokens = std::span(ids).first(3)}};
    must(session.run("generate", {inputs, 1}));
    must(session.run("generate", {inputs + 1, 1}));
    results.push_back(output(session));
  }
  CHECK(same_bytes(results[0], results[1]));
  CHECK(same_bytes(results[0], results[2]));
}

TEST_CASE("a plan of another model is refused") {
  const Model a = open_converted(decoder_checkpoint(), "f32"), b = open_converted(encoder_checkpoint(), "f32");
  CHECK(Session::create(a, planned(b, {})).status().code() == Code::mismatch);
}

TEST_CASE("a session outlives the model and the plan that it was made from") {
  const std::vector<int32_t> ids = tokens(5);
  Session session = [] {
    const Model model = open_converted(decoder_checkpoint(), "f32");
    return opened(model, {.threads = 2});
  }();
  const Input input{.sequence = must(session.add()), .tokens = ids};
  must(session.run("generate", {&input, 1}));
  Session moved = std::move(session);
  must(moved.run("generate", {&input, 1}));
  CHECK(moved.length(input.sequence) == 10);
}

TEST_CASE("a profile counts every operation of the runs that it saw") {
  Decoder d;
  const int32_t ids[] = {1, 2, 3};
  const Input input{.sequence = must(d.session.add()), .tokens = ids};
  must(d.session.run("generate", {&input, 1}));
  CHECK(d.session.profile_entries() == 0);
  d.session.profile(true);
  for (int i = 0; i < 4; ++i) must(d.session.run("generate", {&input, 1}));
  uint64_t calls = 0;
  for (size_t i = 0; i < d.session.profile_entries(); ++i) {
    const Session::ProfileEntry entry = d.session.profile_entry(i);
    CHECK(!entry.operation.empty());
    CHECK(entry.calls % 4 == 0);
    calls += entry.calls;
  }
  CHECK(calls == 4 * d.model.program(0).operations);
}
