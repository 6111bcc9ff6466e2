// What a generator's options do to its texts.
#include <algorithm>

#include "generate/word_writer.h"
#include "linnet/constraint.h"

using namespace linnet;
using namespace linnet::tests;

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
    CHECK(writer.report(i).end == End::complete);
  }
  CHECK(first.finished());
}

TEST_CASE("a text that keeps to a grammar is complete before the context is full") {
  const Tokenizer tokenizer = must(Tokenizer::create(decoder()));
  const List eos = {130};
  const ConstraintVocabulary vocabulary = must(ConstraintVocabulary::create(tokenizer, eos));
  Session session = opened(decoder(), {.context = 16});
  GenerateOptions options = kDrawn;
  options.max_tokens = 100;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    options.sampling.seed = seed;
    Constraint constraint = must(Constraint::from_grammar(vocabulary, "root ::= \"w1\" (\"w2\" | \"w3\")* \"w4\" \"w5\""));
    Generator writer = generator(session, options);
    must(writer.add({.prompt = List{3, 5, 8}, .filter = keep_to(constraint)}));
    must(writer.run());
    CHECK(writer.report(0).end == End::complete);
    CHECK(writer.ids(0).size() <= 14);
  }
}

TEST_CASE("drafts leave a constraint the tokens that it has without them, to the end of the context") {
  const Tokenizer tokenizer = must(Tokenizer::create(decoder()));
  const List eos = {130};
  const ConstraintVocabulary vocabulary = must(ConstraintVocabulary::create(tokenizer, eos));
  Session session = opened(decoder(), {.context = 24, .sequences = 1, .outputs = 17});
  GenerateOptions options = kDrawn;
  options.max_tokens = 100;
  uint32_t kept = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    options.sampling.seed = seed;
    List texts[2];
    for (bool drafts : {false, true}) {
      options.speculation = {.lookup = drafts, .most = 6, .adaptive = false};
      Constraint constraint = must(Constraint::from_grammar(vocabulary, "root ::= (\"w2\" | \"w3\")* \"w4\" \"w5\" \"w6\""));
      Generator writer = generator(session, options);
      must(writer.add({.prompt = List{2, 3, 2, 2, 3, 3}, .filter = keep_to(constraint)}));
      must(writer.run());
      CHECK(writer.report(0).end == End::complete);
      texts[drafts] = list(writer.ids(0));
      kept += writer.report(0).drafts_kept;
    }
    CHECK(texts[true] == texts[false]);
  }
  CHECK(kept > 20);
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
  CHECK(std::string(writer.add({.prompt = List{1}, .sequence = 1}).status().message()) == "there is no sequence 1");
  CHECK(std::string(writer.add({.prompt = List{1}, .sequence = int64_t{1} << 32}).status().message()) == "there is no sequence 4294967296");
  CHECK(std::string(writer.add({.prompt = List{1}, .adapter = 3}).status().message()) == "there is no adapter 3");
  for (int32_t unknown : {-1, 131}) {
    const List ids = {1, 2, unknown};
    const std::string number = "token 2 is " + std::to_string(unknown) + "; it must be at least 0 and below 131";
    CHECK(std::string(writer.add({.prompt = ids}).status().message()) == "the prompt's " + number);
    CHECK(std::string(writer.add({.prompt = List{1}, .sequence = mine, .held = ids}).status().message()) == "the held " + number);
  }
  must(writer.add({.prompt = List{1}, .sequence = mine}));
  CHECK(writer.add({.prompt = List{1}, .sequence = mine}).status().code() == Code::invalid_argument);
  CHECK(writer.texts() == 1);
  must(session.add());
  Generator crowded = generator(session, {});
  must(crowded.add({.prompt = List{1}}));
  CHECK(crowded.run().code() == Code::context_full);  // every sequence is somebody else's
}
