// Several texts in one batch: each becomes what it would be alone, whoever writes beside it.
#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

#include "generate/word_writer.h"
#include "runtime/session_impl.h"

using namespace linnet;
using namespace linnet::tests;

TEST_CASE("texts do not depend on their neighbours, on how many run at once, or on how prompts are cut") {
  std::vector<List> expected;
  for (uint32_t i = 0; i < prompts().size(); ++i) expected.push_back(alone(prompts()[i], kDrawn, i));
  for (uint32_t sequences : {1u, 2u, 4u, 6u})
    for (uint32_t batch : {6u, 16u, 256u}) {
      CAPTURE(sequences);
      CAPTURE(batch);
      Session session = opened(decoder(), {.context = 256, .batch_tokens = batch, .sequences = sequences});
      Generator writer = generator(session, kDrawn);
      for (const List& prompt : prompts()) must(writer.add({.prompt = prompt}));
      must(writer.run());
      for (size_t i = 0; i < expected.size(); ++i) {
        CHECK(list(writer.ids(i)) == expected[i]);
        CHECK(writer.ended(i));
        CHECK(writer.report(i).end == End::max_tokens);
      }
      CHECK(must(session.add()) == 0);  // all sequences were given back
    }
}

TEST_CASE("samples of one prompt are those of the prompt written again and again, and differ") {
  const List prompt = tokens(50, 131, 8);
  std::set<List> different;
  std::vector<List> expected;
  for (uint32_t i = 0; i < 5; ++i) expected.push_back(alone(prompt, kDrawn, i));
  for (uint32_t sequences : {1u, 3u, 8u}) {
    CAPTURE(sequences);
    Session session = opened(decoder(), {.context = 128, .batch_tokens = 16, .sequences = sequences});
    struct Rows {
      Session::Impl* session;
      size_t operations, seen = 0, rows = 0;
      static void before(void* user, size_t) {
        auto& self = *static_cast<Rows*>(user);
        if (self.seen++ % self.operations == 0) self.rows += self.session->symbols[static_cast<size_t>(schema::Symbol::tokens)];
      }
    } rows{&session.impl(), decoder().program(0).operations};
    session.impl().before_operation = Rows::before;
    session.impl().before_operation_user = &rows;
    Generator writer = generator(session, kDrawn);
    must(writer.add({.prompt = prompt, .samples = 5}));
    must(writer.run());
    for (size_t i = 0; i < 5; ++i) {
      CHECK(list(writer.ids(i)) == expected[i]);
      different.insert(list(writer.ids(i)));
    }
    CHECK(rows.rows == 50 + 4 + 5 * 13);  // the prompt once, its last id for each further sample, and all new ids but the last
  }
  CHECK(different.size() == 5);
}

TEST_CASE("the best of several samples have the highest mean log-probability") {
  Session session = opened(decoder(), {.context = 64, .sequences = 4});
  GenerateOptions options = kDrawn;
  options.log_probabilities = true;
  options.top_log_probabilities = 2;
  Generator writer = generator(session, options);
  must(writer.add({.prompt = List{9, 8, 7}, .samples = 6}));
  must(writer.run());
  std::vector<double> means;
  for (size_t i = 0; i < 6; ++i) {
    const auto each = writer.log_probabilities(i);
    REQUIRE(each.size() == writer.ids(i).size());
    double sum = 0;
    for (float one : each) sum += static_cast<double>(one);
    CHECK(writer.report(i).log_probability == doctest::Approx(sum));
    means.push_back(sum / static_cast<double>(each.size()));
    REQUIRE(writer.top(i, 3).size() == 2);
    CHECK(writer.top(i, 3)[0].log_probability >= writer.top(i, 3)[1].log_probability);
    CHECK(writer.top(i, 3)[0].log_probability >= each[3]);
  }
  uint32_t best[3];
  REQUIRE(writer.rank(best) == 3);
  std::vector<double> ordered = means;
  std::sort(ordered.rbegin(), ordered.rend());
  for (size_t i = 0; i < 3; ++i) CHECK(means[best[i]] == ordered[i]);
  uint32_t all[9];
  CHECK(writer.rank(all) == 6);
}

TEST_CASE("log-probabilities are those of the model's own logits") {
  Session session = opened(decoder(), {.context = 64});
  GenerateOptions options = kDrawn;
  options.log_probabilities = true;
  options.max_tokens = 3;
  Generator writer = generator(session, options);
  const List prompt = {9, 8, 7};
  must(writer.add({.prompt = prompt}));
  must(writer.run());
  List ids = prompt;
  for (size_t i = 0; i < 3; ++i) {
    const SequenceId sequence = must(session.add());
    must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
    const std::vector<float> logits = output(session);
    must(session.remove(sequence));
    double sum = 0;
    for (float logit : logits) sum += std::exp(static_cast<double>(logit));
    ids.push_back(writer.ids(0)[i]);
    CHECK(writer.log_probabilities(0)[i] ==
          doctest::Approx(static_cast<double>(logits[static_cast<size_t>(ids.back())]) - std::log(sum)).epsilon(1e-5));
  }
  CHECK(writer.top(0, 2).empty());  // none were asked for
  CHECK(writer.top(0, 3).empty());  // there is no such id
}

TEST_CASE("a text that ended goes on in its sequence with the id that was drawn last") {
  const List whole = alone({17, 4, 99}, kDrawn);
  for (uint32_t first : {1u, 5u, 13u}) {
    CAPTURE(first);
    Session session = opened(decoder(), {.context = 64});
    const SequenceId sequence = must(session.add());
    GenerateOptions options = kDrawn;
    options.sampling.frequency_penalty = 0;  // counts new ids, and those of the first part are prompt to the second
    List expected;
    {
      Session other = opened(decoder(), {.context = 64});
      Generator writer = generator(other, options);
      must(writer.add({.prompt = List{17, 4, 99}}));
      must(writer.run());
      expected = list(writer.ids(0));
    }
    options.max_tokens = first;
    Generator begin = generator(session, options);
    must(begin.add({.prompt = List{17, 4, 99}, .sequence = sequence}));
    must(begin.run());
    const GenerateReport report = begin.report(0);
    CHECK(session.length(sequence) == 3 + first - 1);
    CHECK(report.unread == begin.ids(0).back());
    List held = {17, 4, 99};
    held.insert(held.end(), begin.ids(0).begin(), begin.ids(0).end() - 1);
    options.max_tokens = 14 - first;
    Generator rest = generator(session, options);
    must(rest.add({.prompt = List{report.unread}, .sequence = sequence, .held = held}));
    must(rest.run());
    List both = list(begin.ids(0));
    both.insert(both.end(), rest.ids(0).begin(), rest.ids(0).end());
    CHECK(both == expected);
  }
  CHECK(whole.size() == 14);
}

TEST_CASE("cancelled by another thread at any operation and run again, the texts are the same") {
  std::vector<List> expected;
  GenerateOptions options = kDrawn;
  options.max_tokens = 4;
  for (uint32_t i = 0; i < 3; ++i) expected.push_back(alone(prompts()[i], options, i));
  struct Stop {
    Session* session;
    size_t at, seen = 0;
    static void before(void* user, size_t) {
      auto& self = *static_cast<Stop*>(user);
      if (self.seen++ == self.at) std::thread([&] { self.session->cancel(); }).join();
    }
  };
  Session session = opened(decoder(), {.context = 128, .batch_tokens = 16, .sequences = 2});
  Stop stop{&session, 0};
  session.impl().before_operation = Stop::before;
  session.impl().before_operation_user = &stop;
  for (bool cancelled = true; cancelled; ++stop.at) {
    CAPTURE(stop.at);
    stop.seen = 0;
    Generator writer = generator(session, options);
    for (uint32_t i = 0; i < 3; ++i) must(writer.add({.prompt = prompts()[i]}));
    Status status = writer.run();
    cancelled = !status.ok();
    if (cancelled) {
      REQUIRE(status.code() == Code::cancelled);
      must(writer.run());
    }
    for (size_t i = 0; i < 3; ++i) REQUIRE(list(writer.ids(i)) == expected[i]);
  }
  CHECK(stop.at > 6 * decoder().program(0).operations);
}
