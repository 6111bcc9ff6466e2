// Beam search against a plain one that sorts every continuation of every beam, on made-up logits and on a model.
#include "linnet/beam_search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "runtime/session_impl.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

using List = std::vector<int32_t>;
using Logits = std::function<std::vector<float>(const List& ids)>;

struct Text {
  List ids;
  double score;
};

struct Plain {
  List ids;
  double sum = 0;
  bool alive = true;
};

bool contains(std::span<const int32_t> ids, int32_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

bool repeats(const List& before, int32_t id, size_t n) {
  List all = before;
  all.push_back(id);
  if (n == 0 || all.size() < n) return false;
  const auto tail = all.end() - static_cast<ptrdiff_t>(n);
  return std::search(all.begin(), all.end() - 1, tail, all.end()) != all.end() - 1;
}

/// As the specification says it, with nothing clever.
std::vector<Text> plain_search(const Logits& logits_after, const List& prompt, const BeamOptions& o) {
  std::vector<Plain> running(1);
  std::vector<Text> finished;
  const size_t k = o.beams;
  for (uint32_t n = 1;; ++n) {
    struct Candidate {
      double sum;
      size_t beam;
      int32_t id;
    };
    std::vector<Candidate> all;
    for (size_t b = 0; b < running.size(); ++b) {
      List before = prompt;
      before.insert(before.end(), running[b].ids.begin(), running[b].ids.end());
      const std::vector<float> logits = logits_after(before);
      double sum = 0;
      for (float x : logits) sum += std::exp(static_cast<double>(x));
      for (int32_t id = 0; id < static_cast<int32_t>(logits.size()); ++id) {
        double lp = static_cast<double>(logits[static_cast<size_t>(id)]) - std::log(sum);
        if (contains(before, id)) lp *= static_cast<double>(o.repetition_penalty);
        if (contains(o.banned, id) || repeats(before, id, o.no_repeat_ngram) || (n <= o.min_tokens && contains(o.eos, id))) lp = -INFINITY;
        int32_t forced = n == 1 ? o.forced_bos : -1;
        if (n == o.max_tokens && o.forced_eos >= 0) forced = o.forced_eos;
        if (forced >= 0) lp = id == forced ? 0 : -INFINITY;
        if (lp > -INFINITY) all.push_back({running[b].sum + lp, b, id});
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.sum > b.sum; });
    all.resize(std::min(all.size(), (1 + std::max<size_t>(1, o.eos.size())) * k));
    std::vector<Plain> next;
    std::vector<Text> entering;
    for (size_t i = 0; i < all.size(); ++i) {
      List ids = running[all[i].beam].ids;
      ids.push_back(all[i].id);
      const bool complete = n == o.max_tokens || contains(o.eos, all[i].id);
      if (complete && i < k) entering.push_back({ids, all[i].sum / std::pow(n, static_cast<double>(o.length_penalty))});
      if (!complete && next.size() < k) next.push_back({ids, all[i].sum});
    }
    if (!(o.early_stopping == EarlyStopping::yes && finished.size() == k))
      finished.insert(finished.end(), entering.begin(), entering.end());
    std::stable_sort(finished.begin(), finished.end(), [](const Text& a, const Text& b) { return a.score > b.score; });
    if (finished.size() > k) finished.resize(k);
    running = next;
    if (n == o.max_tokens || running.empty()) return finished;
    if (k == 1 && !finished.empty()) return finished;
    if (finished.size() < k) continue;
    if (o.early_stopping == EarlyStopping::yes) return finished;
    const double length = o.early_stopping == EarlyStopping::never && o.length_penalty > 0 ? o.max_tokens : n;
    if (running[0].sum / std::pow(length, static_cast<double>(o.length_penalty)) <= finished.back().score) return finished;
  }
}

/// Logits that depend on all ids before them.
Logits made_up(size_t vocabulary, uint32_t seed, float spread) {
  return [=](const List& ids) {
    std::seed_seq sequence(ids.begin(), ids.end());
    uint32_t mixed[2];
    sequence.generate(mixed, mixed + 2);
    std::mt19937 random(mixed[0] ^ mixed[1] * 31 ^ seed);
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> logits(vocabulary);
    for (float& logit : logits) logit = normal(random);
    return logits;
  };
}

std::vector<Text> results(const BeamSearch& search) {
  std::vector<Text> texts;
  for (size_t i = 0; i < search.results(); ++i) texts.push_back({List(search.ids(i).begin(), search.ids(i).end()), search.score(i)});
  return texts;
}

std::vector<Text> searched(const Logits& logits_after, size_t vocabulary, const List& prompt, const BeamOptions& options) {
  BeamSearch search = must(BeamSearch::create(vocabulary, prompt, options));
  std::vector<List> beams = {prompt};
  while (!search.done()) {
    std::vector<float> rows;
    for (const List& beam : beams) {
      const std::vector<float> row = logits_after(beam);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    must(search.advance({rows.data(), beams.size(), vocabulary}));
    std::vector<List> next;
    for (size_t i = 0; i < search.running(); ++i) {
      next.push_back(beams[search.parent(i)]);
      next.back().push_back(search.id(i));
    }
    beams = next;
  }
  return results(search);
}

void check_same(const std::vector<Text>& found, const std::vector<Text>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].ids == expected[i].ids);
    CHECK(found[i].score == doctest::Approx(expected[i].score).epsilon(1e-5));
  }
}

}  // namespace

TEST_CASE("searches find what a search that sorts everything finds") {
  const List eos[] = {{}, {0}, {1, 3, 4}}, banned = {2}, prompt = {1, 2, 1, 4};
  uint32_t seed = 0;
  for (uint32_t beams : {1u, 2u, 3u, 5u, 12u})
    for (uint32_t length : {1u, 2u, 7u})
      for (float penalty : {1.0f, 0.0f, -0.7f, 2.0f})
        for (EarlyStopping early : {EarlyStopping::no, EarlyStopping::yes, EarlyStopping::never})
          for (const List& ends : eos)
            for (size_t vocabulary : {6u, 90u}) {
              const Logits logits = made_up(vocabulary, ++seed, vocabulary == 6 ? 1.0f : 2.5f);
              BeamOptions options{.beams = beams, .max_tokens = length, .length_penalty = penalty, .early_stopping = early, .eos = ends};
              CAPTURE(seed);
              check_same(searched(logits, vocabulary, prompt, options), plain_search(logits, prompt, options));
              options.no_repeat_ngram = 2;
              options.banned = banned;
              options.min_tokens = length / 2;
              options.repetition_penalty = 1.2f;
              check_same(searched(logits, vocabulary, prompt, options), plain_search(logits, prompt, options));
              options.forced_bos = 5;
              options.forced_eos = ends.empty() ? 3 : ends[0];
              check_same(searched(logits, vocabulary, prompt, options), plain_search(logits, prompt, options));
            }
}

TEST_CASE("more beams than there are texts find all of them") {
  const Logits logits = made_up(3, 7, 1);
  const List eos = {0};
  // 0; 1 0, 2 0; 1 1, 1 2, 2 1, 2 2: seven texts of at most two ids.
  const std::vector<Text> found = searched(logits, 3, {2}, {.beams = 20, .max_tokens = 2, .length_penalty = 0, .eos = eos});
  CHECK(found.size() == 7);
  double sum = 0;
  for (const Text& text : found) sum += std::exp(text.score);
  CHECK(sum == doctest::Approx(1));
}

TEST_CASE("equal scores go to the lower beam and the lower id") {
  const Logits flat = [](const List&) { return std::vector<float>(4, 1.0f); };
  const std::vector<Text> found = searched(flat, 4, {0}, {.beams = 3, .max_tokens = 2});
  REQUIRE(found.size() == 3);
  CHECK(found[0].ids == List{0, 0});
  CHECK(found[1].ids == List{0, 1});
  CHECK(found[2].ids == List{0, 2});
  CHECK(found[0].score == doctest::Approx(std::log(0.25)));
}

TEST_CASE("numbers that are none are never searched") {
  const Logits odd = [](const List&) { return std::vector<float>{NAN, 0, -INFINITY, 0}; };
  for (const Text& text : searched(odd, 4, {0}, {.beams = 4, .max_tokens = 3}))
    for (int32_t id : text.ids) CHECK((id == 1 || id == 3));
  const Logits none = [](const List&) { return std::vector<float>(4, NAN); };
  CHECK(searched(none, 4, {0}, {.beams = 2, .max_tokens = 3}).empty());
}

TEST_CASE("a model is searched as if every beam were computed from the beginning, in the least memory") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  Session plain = opened(model, {.context = 128, .batch_tokens = 128});
  const Logits logits = [&](const List& ids) {
    const SequenceId sequence = must(plain.add());
    must(plain.prefill("generate", {.sequence = sequence, .tokens = ids}));
    const std::vector<float> row = output(plain);
    must(plain.remove(sequence));
    return row;
  };
  const List prompt = tokens(62, 131, 3), eos = {17, 60, 99, 4};  // the beams cross the border of a page
  for (uint32_t beams : {1u, 2u, 4u}) {
    Session session = opened(model, {.context = 128, .batch_tokens = std::max(beams, 4u), .sequences = beams});
    const BeamOptions options{.beams = beams, .max_tokens = 9, .early_stopping = EarlyStopping::never, .eos = eos, .no_repeat_ngram = 3};
    check_same(results(must(beam_search(session, model, prompt, options))), plain_search(logits, prompt, options));
    for (uint32_t i = 0; i < beams; ++i) must(session.add());  // all sequences were given back
  }
}

TEST_CASE("a search can be cancelled anywhere and leaves nothing behind") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  Session session = opened(model, {.context = 64, .sequences = 3});
  struct Stop {
    Session* session;
    size_t at, seen = 0;
    static void before(void* user, size_t) {
      auto& self = *static_cast<Stop*>(user);
      if (self.seen++ == self.at) self.session->cancel();
    }
  } stop{&session, 0};
  session.impl().before_operation = Stop::before;
  session.impl().before_operation_user = &stop;
  const List prompt = {4, 5, 6};
  const BeamOptions options{.beams = 3, .max_tokens = 4};
  for (;; stop.at += 7) {
    stop.seen = 0;
    const Result<BeamSearch> search = beam_search(session, model, prompt, options);
    std::vector<SequenceId> free;
    for (int i = 0; i < 3; ++i) free.push_back(must(session.add()));
    for (SequenceId sequence : free) must(session.remove(sequence));
    if (search.ok()) break;
    CHECK(search.status().code() == Code::cancelled);
  }
  CHECK(stop.at > 3 * model.program(0).operations);
}

TEST_CASE("a listener ends a search with what is finished") {
  const Logits logits = made_up(20, 3, 2);
  const List eos = {0, 1, 2, 3, 4, 5, 6, 7};
  BeamOptions options{.beams = 3, .max_tokens = 30, .early_stopping = EarlyStopping::never, .eos = eos};
  options.on_step = [](void* user, uint32_t step) {
    *static_cast<uint32_t*>(user) = step;
    return step < 2;
  };
  uint32_t last = 0;
  options.user = &last;
  const std::vector<Text> found = searched(logits, 20, {1}, options);
  CHECK(last == 2);
  for (const Text& text : found) CHECK(text.ids.size() <= 2);
}

TEST_CASE("what makes no sense is refused by name and with the numbers") {
  auto refusal = [](const BeamOptions& options) { return std::string(BeamSearch::create(10, List{1}, options).status().message()); };
  CHECK(refusal({.beams = 0}).find("beams is 0") != std::string::npos);
  CHECK(refusal({.beams = 257}).find("beams is 257") != std::string::npos);
  CHECK(refusal({.max_tokens = 0}).find("max_tokens") != std::string::npos);
  CHECK(refusal({.max_tokens = 2, .min_tokens = 3}).find("min_tokens") != std::string::npos);
  CHECK(refusal({.length_penalty = NAN}).find("length_penalty") != std::string::npos);
  CHECK(refusal({.forced_eos = 10}).find("forced_eos") != std::string::npos);
  CHECK(refusal({.repetition_penalty = 0}).find("repetition_penalty") != std::string::npos);
  const Model model = open_converted(decoder_checkpoint(), "int8");
  Session session = opened(model, {.context = 8, .sequences = 2});
  auto search = [&](const List& prompt, const BeamOptions& options) {
    return std::string(beam_search(session, model, prompt, options).status().message());
  };
  CHECK(search({1}, {.beams = 3, .max_tokens = 4}) == "3 beams need limits.sequences to be as many; it is 2");
  CHECK(search({1, 2, 3}, {.beams = 2, .max_tokens = 7}) == "3 prompt tokens and 7 new ones need a context of 9; planned are 8");
  CHECK(search({}, {.beams = 2, .max_tokens = 7}) == "the prompt has no tokens");
  List all(131);
  for (int32_t i = 0; i < 131; ++i) all[static_cast<size_t>(i)] = i;
  CHECK(search({1}, {.beams = 2, .max_tokens = 3, .banned = all}).find("every id is excluded") != std::string::npos);
}
