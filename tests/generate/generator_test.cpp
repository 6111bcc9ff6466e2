// Several texts in one batch: each becomes what it would be alone, whoever writes beside it.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "core/memory.h"
#include "linnet/constraint.h"
#include "linnet/generate.h"
#include "runtime/session_impl.h"
#include "runtime/small_models.h"
#include "tasks/word_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;
using End = GenerateReport::End;

namespace {

using List = std::vector<int32_t>;

/// Its tokenizer writes words without spaces: id 5 is "w5".
const Model& decoder() {
  static const Model model = [] {
    convert::CheckpointFolder folder("generator");
    folder.write(decoder_checkpoint());
    convert::Json tokenizer = word_tokenizer(131);
    tokenizer["decoder"] = {{"type", "Fuse"}};
    folder.write("tokenizer.json", tokenizer);
    convert::convert(folder.path(), folder.path("out.linnet"), {});
    return must(Model::open(folder.path("out.linnet").c_str()));
  }();
  return model;
}

List list(std::span<const int32_t> ids) { return {ids.begin(), ids.end()}; }

Generator generator(Session& session, const GenerateOptions& options) { return must(Generator::create(session, decoder(), options)); }

/// The new ids of a prompt that is alone in a session of its own.
List alone(const List& prompt, const GenerateOptions& options, uint32_t number = 0) {
  Session session = opened(decoder(), {.context = 256});
  Generator writer = generator(session, options);
  // Texts before it that end at once leave it its number, and so its stream of the seed.
  for (uint32_t i = 0; i < number; ++i) must(writer.add({.prompt = List{1}}));
  must(writer.add({.prompt = prompt}));
  must(writer.run());
  return list(writer.ids(number));
}

const GenerateOptions kDrawn = {
    .max_tokens = 14,
    .sampling = {.temperature = 2, .top_k = 60, .top_p = 0.97f, .repetition_penalty = 1.1f, .frequency_penalty = 0.2f, .seed = 5}};

std::vector<List> prompts() {
  return {{17, 4, 99, 61, 8}, tokens(40, 131, 2), {3}, tokens(9, 131, 3), tokens(70, 131, 4), {17, 4, 99, 61, 8}};
}

}  // namespace

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

TEST_CASE("cancelled at every operation and run again, the texts are the same") {
  std::vector<List> expected;
  GenerateOptions options = kDrawn;
  options.max_tokens = 4;
  for (uint32_t i = 0; i < 3; ++i) expected.push_back(alone(prompts()[i], options, i));
  struct Stop {
    Session* session;
    size_t every, seen = 0, cancelled = 0;
    static void before(void* user, size_t) {
      auto& self = *static_cast<Stop*>(user);
      if (++self.seen % self.every) return;
      ++self.cancelled;
      std::thread([&] { self.session->cancel(); }).join();
    }
  };
  // A prime number of operations apart, so that in the end every one of them is hit; never less than one run apart.
  const size_t operations = decoder().program(0).operations;
  for (size_t every : {operations + 1, operations + 5, 2 * operations + 3}) {
    Session session = opened(decoder(), {.context = 128, .batch_tokens = 16, .sequences = 2});
    Stop stop{&session, every};
    session.impl().before_operation = Stop::before;
    session.impl().before_operation_user = &stop;
    Generator writer = generator(session, options);
    for (uint32_t i = 0; i < 3; ++i) must(writer.add({.prompt = prompts()[i]}));
    size_t cancellations = 0;
    for (;;) {
      const Status status = writer.run();
      if (status.ok()) break;
      REQUIRE(status.code() == Code::cancelled);
      REQUIRE(++cancellations < 1000);
    }
    CHECK(cancellations == stop.cancelled);
    CHECK(cancellations > 2);
    for (size_t i = 0; i < 3; ++i) CHECK(list(writer.ids(i)) == expected[i]);
  }
}

TEST_CASE("stop strings end a text before they are written, and its ids are all there") {
  Session session = opened(decoder(), {.context = 64});
  const Tokenizer tokenizer = must(Tokenizer::create(decoder()));
  GenerateOptions options;
  options.max_tokens = 12;
  options.tokenizer = &tokenizer;
  Generator plain = generator(session, options);
  must(plain.add({.prompt = List{9, 8, 7}}));
  must(plain.run());
  const std::string whole(plain.text(0));
  const List ids = list(plain.ids(0));
  Text decoded;
  must(tokenizer.decode(ids, true, &decoded));
  CHECK(whole.find(view(decoded)) != std::string::npos);  // behind the prompt it may begin with a space
  const std::string stop = whole.substr(whole.size() / 2, 4);
  const size_t at = whole.find(stop);
  const std::string_view stops[] = {"nowhere", stop};
  options.stop = stops;
  struct Heard {
    std::string text;
    List ids;
    static bool on_token(void* user, const NewToken& token) {
      auto& self = *static_cast<Heard*>(user);
      self.text += token.piece;
      if (token.id >= 0) self.ids.push_back(token.id);
      return true;
    }
  } heard;
  options.on_token = Heard::on_token;
  options.user = &heard;
  Generator stopped = generator(session, options);
  must(stopped.add({.prompt = List{9, 8, 7}}));
  must(stopped.run());
  CHECK(stopped.report(0).end == End::stop_string);
  CHECK(stopped.text(0) == whole.substr(0, at));
  CHECK(heard.text == stopped.text(0));
  CHECK(heard.ids == list(stopped.ids(0)));
  CHECK(heard.ids == List(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(heard.ids.size())));
  options.include_stop = true;
  Generator included = generator(session, options);
  must(included.add({.prompt = List{9, 8, 7}}));
  must(included.run());
  CHECK(included.text(0) == whole.substr(0, at + stop.size()));
  const std::string half = whole.substr(whole.size() - 2) + "?";  // begins at the end and never comes
  const std::string_view halves[] = {half};
  options.stop = halves;
  heard = {};
  Generator held = generator(session, options);
  must(held.add({.prompt = List{9, 8, 7}}));
  must(held.run());
  CHECK(heard.text == whole);
  CHECK(held.report(0).end == End::max_tokens);
}

TEST_CASE("forced ids, ends that come too early, and ends that end") {
  GenerateOptions options;
  options.max_tokens = 6;
  const List plain = alone({17, 4, 99}, options);
  options.forced_bos = 40;
  options.forced_eos = 41;
  const List forced = alone({17, 4, 99}, options);
  CHECK(forced.front() == 40);
  CHECK(forced.back() == 41);
  CHECK(List(forced.begin() + 1, forced.end() - 1) == alone({17, 4, 99, 40}, {.max_tokens = 4}));
  options = {};
  options.max_tokens = 6;
  const int32_t eos[] = {plain[0]};
  options.eos = eos;
  CHECK(alone({17, 4, 99}, options).empty());
  options.min_tokens = 3;
  const List later = alone({17, 4, 99}, options);
  CHECK(later.size() >= 3);
  CHECK(std::find(later.begin(), later.end(), plain[0]) == later.end());
  options.forced_eos = plain[0];
  CHECK(alone({17, 4, 99}, options).size() <= 5);
}

TEST_CASE("a filter says what may follow, hears what was chosen, and its errors end the run") {
  struct Even {
    std::vector<uint32_t> budgets;
    List heard;
    static Status allowed(void* user, uint32_t budget, std::span<uint64_t> bits) {
      auto& self = *static_cast<Even*>(user);
      self.budgets.push_back(budget);
      for (size_t id = 0; id < 131; id += 2) bits[id / 64] |= uint64_t{1} << (id % 64);
      return budget > 1 ? Status() : Status::error(Code::invalid_argument, "no more");
    }
    static Status accept(void* user, int32_t id) {
      static_cast<Even*>(user)->heard.push_back(id);
      return {};
    }
  } even;
  Session session = opened(decoder(), {.context = 64});
  GenerateOptions options = kDrawn;
  options.max_tokens = 5;
  Generator writer = generator(session, options);
  must(writer.add({.prompt = List{3, 5}, .filter = {Even::allowed, Even::accept, &even}}));
  const Status status = writer.run();
  CHECK(std::string(status.message()) == "no more");
  CHECK(even.budgets == std::vector<uint32_t>{5, 4, 3, 2, 1});
  CHECK(even.heard == list(writer.ids(0)));
  CHECK(even.heard.size() == 4);
  for (int32_t id : even.heard) CHECK(id % 2 == 0);
  CHECK(writer.run().code() == Code::invalid_argument);  // the text would lack an id
}

TEST_CASE("a text keeps to a grammar, whatever the model would rather write, and ends when the grammar does") {
  const Tokenizer tokenizer = must(Tokenizer::create(decoder()));
  const List eos = {130};
  const ConstraintVocabulary vocabulary = must(ConstraintVocabulary::create(tokenizer, eos));
  Constraint first = must(Constraint::from_grammar(vocabulary, "root ::= \"w1\" (\"w7\" | \"w8\") \"w9\""));
  Constraint second = must(first.fork());
  Session session = opened(decoder(), {.context = 64, .sequences = 2});
  GenerateOptions options = kDrawn;
  options.eos = eos;
  Generator writer = generator(session, options);
  must(writer.add({.prompt = List{3, 5}, .filter = keep_to(first)}));
  must(writer.add({.prompt = List{4}, .filter = keep_to(second)}));
  must(writer.run());
  for (size_t i = 0; i < 2; ++i) {
    REQUIRE(writer.ids(i).size() == 3);
    CHECK(writer.ids(i)[0] == 1);
    CHECK((writer.ids(i)[1] == 7 || writer.ids(i)[1] == 8));
    CHECK(writer.ids(i)[2] == 9);
    CHECK(writer.report(i).end == End::eos);
  }
  CHECK(first.finished());
}

TEST_CASE("contexts that fill: refused with the numbers, ended, or slid on") {
  GenerateOptions options;
  options.max_tokens = 30;
  options.context_policy = ContextPolicy::refuse;
  Session session = opened(decoder(), {.context = 16});
  {
    Generator writer = generator(session, options);
    const Status status = writer.add({.prompt = List{1, 2, 3}}).status();
    CHECK(status.code() == Code::context_full);
    CHECK(std::string(status.message()) == "3 prompt tokens and 30 new ones after 0 positions need a context of 32; planned are 16");
  }
  options.max_tokens = 14;  // the last need not fit
  {
    Generator writer = generator(session, options);
    must(writer.add({.prompt = List{1, 2, 3}}));
    must(writer.run());
    CHECK(writer.ids(0).size() == 14);
  }
  options.max_tokens = 30;
  options.context_policy = ContextPolicy::slide;
  options.keep = 2;
  Generator writer = generator(session, options);
  must(writer.add({.prompt = List{1, 2, 3}}));
  must(writer.run());
  // By hand: whenever 16 ids are full, the first 2 and the last 7 are the new prompt.
  List all = {1, 2, 3}, context = all;
  for (int i = 0; i < 30; ++i) {
    if (context.size() > 16) {
      List rest(context.end() - 7, context.end());
      context.resize(2);
      context.insert(context.end(), rest.begin(), rest.end());
    }
    context.push_back(alone(context, {.max_tokens = 1})[0]);
    all.push_back(context.back());
  }
  CHECK(list(writer.ids(0)) == List(all.begin() + 3, all.end()));
  options.keep = 15;
  Generator kept = generator(session, options);
  CHECK(std::string(kept.add({.prompt = List{1}}).status().message()).find("keep is 15") != std::string::npos);
}

TEST_CASE("listeners hear prompts being read and can end any text without the others") {
  struct Listener {
    std::vector<std::pair<uint32_t, uint32_t>> progress;
    static bool on_prompt(void* user, uint32_t text, uint32_t done, uint32_t total) {
      if (text == 1) static_cast<Listener*>(user)->progress.push_back({done, total});
      return text != 2;
    }
    static bool on_token(void*, const NewToken& token) { return token.text != 0; }
  } listener;
  GenerateOptions options = kDrawn;
  options.on_prompt = Listener::on_prompt;
  options.on_token = Listener::on_token;
  options.user = &listener;
  Session session = opened(decoder(), {.context = 128, .batch_tokens = 16, .sequences = 3});
  Generator writer = generator(session, options);
  must(writer.add({.prompt = List{4}}));
  must(writer.add({.prompt = prompts()[1]}));
  must(writer.add({.prompt = List{5, 6}}));
  must(writer.run());
  CHECK(writer.ids(0).size() == 1);
  CHECK(writer.report(0).end == End::stopped);
  CHECK(list(writer.ids(1)) == alone(prompts()[1], kDrawn, 1));
  CHECK(writer.ids(2).empty());
  CHECK(writer.report(2).end == End::stopped);
  REQUIRE(!listener.progress.empty());
  CHECK(listener.progress.back() == std::pair<uint32_t, uint32_t>{40, 40});
  for (size_t i = 1; i < listener.progress.size(); ++i) CHECK(listener.progress[i].first > listener.progress[i - 1].first);
}

TEST_CASE("what makes no sense is refused by name") {
  Session session = opened(decoder(), {.context = 32, .sequences = 2});
  auto refusal = [&](const GenerateOptions& options) {
    return std::string(Generator::create(session, decoder(), options).status().message());
  };
  const std::string_view stop[] = {"x"};
  CHECK(refusal({.stop = stop}).find("tokenizer") != std::string::npos);
  CHECK(refusal({.max_tokens = 3, .min_tokens = 4}).find("min_tokens") != std::string::npos);
  CHECK(refusal({.forced_bos = 131}).find("forced_bos") != std::string::npos);
  CHECK(refusal({.forced_eos = 500}).find("forced_eos") != std::string::npos);
  CHECK(refusal({.top_log_probabilities = 3}).find("top_log_probabilities") != std::string::npos);
  Generator writer = generator(session, {});
  const SequenceId mine = must(session.add());
  CHECK(writer.add({.prompt = {}}).status().code() == Code::invalid_argument);
  CHECK(writer.add({.prompt = List{1}, .samples = 0}).status().code() == Code::invalid_argument);
  CHECK(writer.add({.prompt = List{1}, .samples = 2, .sequence = mine}).status().code() == Code::invalid_argument);
  CHECK(writer.add({.prompt = List{1}, .sequence = mine, .held = List{4}}).status().code() == Code::invalid_argument);
  must(writer.add({.prompt = List{1}, .sequence = mine}));
  CHECK(writer.add({.prompt = List{1}, .sequence = mine}).status().code() == Code::invalid_argument);
  CHECK(writer.texts() == 1);
  must(session.add());
  Generator crowded = generator(session, {});
  must(crowded.add({.prompt = List{1}}));
  CHECK(crowded.run().code() == Code::context_full);  // every sequence is somebody else's
}

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
