// The loop that writes: what it draws, when it ends, and what it leaves when it fails.
#include "linnet/generate.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "runtime/session_impl.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const Model& decoder() {
  static const Model model = open_converted(decoder_checkpoint(), "int8");
  return model;
}

struct Written {
  Result<GenerateReport> report;
  std::vector<int32_t> ids;
};

Written write_on(Session& session, SequenceId sequence, const std::vector<int32_t>& prompt, const GenerateOptions& options) {
  Ids ids;
  Result<GenerateReport> report = generate(session, decoder(), sequence, prompt, options, &ids);
  return {std::move(report), {ids.begin(), ids.end()}};
}

/// The same in a session of its own.
Written write_on(const std::vector<int32_t>& prompt, const GenerateOptions& options, uint32_t context = 128) {
  Session session = opened(decoder(), {.context = context});
  return write_on(session, must(session.add()), prompt, options);
}

/// By hand: each id is the largest logit after all ids before it, computed from the beginning every time.
std::vector<int32_t> greedy(std::vector<int32_t> ids, size_t count) {
  Session session = opened(decoder(), {.context = 128, .batch_tokens = 128});
  std::vector<int32_t> written;
  for (size_t i = 0; i < count; ++i) {
    const SequenceId sequence = must(session.add());
    must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
    const std::vector<float> logits = output(session);
    written.push_back(static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    ids.push_back(written.back());
    must(session.remove(sequence));
  }
  return written;
}

const std::vector<int32_t> kPrompt = {17, 4, 99, 61, 8};

}  // namespace

TEST_CASE("greedy writing takes the largest logit each time") {
  GenerateOptions options;
  options.max_tokens = 20;
  const Written written = write_on(kPrompt, options);
  REQUIRE(written.report.ok());
  CHECK(written.ids == greedy(kPrompt, 20));
  CHECK(written.report->end == GenerateReport::End::max_tokens);
  CHECK(written.report->prompt_tokens == 5);
  CHECK(written.report->new_tokens == 20);
}

TEST_CASE("an end-of-text id ends the text and is no part of it; ignored, it is an id like others") {
  const std::vector<int32_t> plain = greedy(kPrompt, 12);
  size_t at = 1;  // the first id that has not occurred before
  while (std::find(plain.begin(), plain.begin() + static_cast<ptrdiff_t>(at), plain[at]) != plain.begin() + static_cast<ptrdiff_t>(at))
    ++at;
  const int32_t eos[] = {130, plain[at]};
  GenerateOptions options;
  options.max_tokens = 12;
  options.eos = eos;
  const Written written = write_on(kPrompt, options);
  REQUIRE(written.report.ok());
  CHECK(written.report->end == GenerateReport::End::eos);
  CHECK(written.ids == std::vector<int32_t>(plain.begin(), plain.begin() + static_cast<ptrdiff_t>(at)));
  options.ignore_eos = true;
  CHECK(write_on(kPrompt, options).ids == plain);
}

TEST_CASE("no tokens wanted, none written; the prompt is held") {
  Session session = opened(decoder(), {.context = 32});
  const SequenceId sequence = must(session.add());
  GenerateOptions options;
  options.max_tokens = 0;
  const Written written = write_on(session, sequence, kPrompt, options);
  REQUIRE(written.report.ok());
  CHECK(written.ids.empty());
  CHECK(session.length(sequence) == 5);
}

TEST_CASE("a context that fills ends the text at its last position") {
  GenerateOptions options;
  options.max_tokens = 100;
  const Written written = write_on(kPrompt, options, 9);
  REQUIRE(written.report.ok());
  CHECK(written.report->end == GenerateReport::End::context_full);
  CHECK(written.ids == greedy(kPrompt, 5));  // four behind the prompt, and one that is drawn after the last of them
}

TEST_CASE("a prompt that fills the context exactly still gets one id") {
  GenerateOptions options;
  options.max_tokens = 100;
  const Written written = write_on(kPrompt, options, 5);
  REQUIRE(written.report.ok());
  CHECK(written.ids == greedy(kPrompt, 1));
  CHECK(written.report->end == GenerateReport::End::context_full);
}

TEST_CASE("a prompt beyond the context is refused with both numbers and leaves the sequence as it was") {
  Session session = opened(decoder(), {.context = 7});
  const SequenceId sequence = must(session.add());
  must(session.prefill("generate", {.sequence = sequence, .tokens = std::vector<int32_t>{1, 2, 3}}));
  const Written written = write_on(session, sequence, kPrompt, {});
  CHECK(written.report.status().code() == Code::context_full);
  const std::string message = written.report.status().message();
  CHECK(message.find('5') != std::string::npos);
  CHECK(message.find('7') != std::string::npos);
  CHECK(session.length(sequence) == 3);
  CHECK(written.ids.empty());
}

TEST_CASE("writing goes on where a sequence stands") {
  Session session = opened(decoder(), {.context = 64});
  const SequenceId sequence = must(session.add());
  must(session.prefill("generate", {.sequence = sequence, .tokens = std::vector<int32_t>{17, 4, 99}}));
  GenerateOptions options;
  options.max_tokens = 6;
  CHECK(write_on(session, sequence, {61, 8}, options).ids == greedy(kPrompt, 6));
}

TEST_CASE("banned ids are never written") {
  const std::vector<int32_t> plain = greedy(kPrompt, 1);
  GenerateOptions options;
  options.max_tokens = 30;
  const std::vector<int32_t> banned = {plain[0], -1, 5000};  // ids that do not exist are nobody's
  options.sampling.banned = banned;
  const Written written = write_on(kPrompt, options);
  REQUIRE(written.report.ok());
  CHECK(std::find(written.ids.begin(), written.ids.end(), plain[0]) == written.ids.end());
  std::vector<int32_t> all(131);
  for (int32_t i = 0; i < 131; ++i) all[static_cast<size_t>(i)] = i;
  all.erase(all.begin() + 42);
  options.sampling.banned = all;
  options.max_tokens = 3;
  CHECK(write_on(kPrompt, options).ids == std::vector<int32_t>{42, 42, 42});
}

TEST_CASE("the listener hears every id in order and can stop the writing") {
  struct Listener {
    std::vector<int32_t> heard;
    size_t most;
    static bool on_token(void* user, const NewToken& token) {
      auto& self = *static_cast<Listener*>(user);
      self.heard.push_back(token.id);
      return self.heard.size() < self.most;
    }
  } listener{{}, 4};
  GenerateOptions options;
  options.max_tokens = 10;
  options.on_token = Listener::on_token;
  options.user = &listener;
  const Written written = write_on(kPrompt, options);
  REQUIRE(written.report.ok());
  CHECK(written.report->end == GenerateReport::End::stopped);
  CHECK(written.ids == greedy(kPrompt, 4));
  CHECK(listener.heard == written.ids);
}

TEST_CASE("a cancelled run ends the writing with what was written so far, and the sequence can go on") {
  Session session = opened(decoder(), {.context = 64});
  const SequenceId sequence = must(session.add());
  struct Stop {
    Session* session;
    size_t operations, seen = 0;
    static void before(void* user, size_t) {
      auto& self = *static_cast<Stop*>(user);
      if (self.seen++ == self.operations * 3 + 2) self.session->cancel();  // within the third id's run
    }
  } stop{&session, decoder().program(0).operations};
  session.impl().before_operation = Stop::before;
  session.impl().before_operation_user = &stop;
  GenerateOptions options;
  options.max_tokens = 10;
  const Written written = write_on(session, sequence, kPrompt, options);
  CHECK(written.report.status().code() == Code::cancelled);
  CHECK(written.ids == greedy(kPrompt, 3));
  CHECK(session.length(sequence) == 7);  // the prompt and two ids; the third was being read
  session.impl().before_operation = nullptr;
  options.max_tokens = 2;
  const Written rest = write_on(session, sequence, {written.ids.back()}, options);
  const std::vector<int32_t> all = greedy(kPrompt, 5);
  CHECK(rest.ids == std::vector<int32_t>{all[3], all[4]});
}

TEST_CASE("what is drawn depends on seed and prompt alone, not on threads or chunks") {
  GenerateOptions options;
  options.max_tokens = 25;
  options.sampling = {.temperature = 3, .top_k = 50, .top_p = 0.95f, .repetition_penalty = 1.1f, .seed = 11};
  const Written first = write_on(kPrompt, options);
  Session other = opened(decoder(), {.context = 99, .batch_tokens = 2, .threads = 2});
  CHECK(write_on(other, must(other.add()), kPrompt, options).ids == first.ids);
  options.sampling.seed = 12;
  CHECK(write_on(kPrompt, options).ids != first.ids);
}

TEST_CASE("what makes no sense is refused by name") {
  CHECK(write_on({}, {}).report.status().code() == Code::invalid_argument);
  const Written beyond = write_on({3, 131}, {});
  CHECK(beyond.report.status().code() == Code::invalid_argument);
  CHECK(std::string(beyond.report.status().message()).find("131") != std::string::npos);
  GenerateOptions options;
  options.sampling.top_p = 2;
  CHECK(std::string(write_on(kPrompt, options).report.status().message()).find("top_p") != std::string::npos);
  const Model encoder = open_converted(encoder_checkpoint(), "int8");
  Session session = opened(encoder, {.context = 16});
  Ids ids;
  CHECK(generate(session, encoder, 0, kPrompt, {}, &ids).status().code() == Code::unsupported);
}
