#include <doctest/doctest.h>

#include "linnet/conversation.h"
#include "linnet/tasks.h"
#include "runtime/small_translator.h"
#include "tasks/word_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

using Texts = std::vector<std::string>;

/// Words w0 to w57; 58, 59 and 60 are special: two languages and the end. A source ends with "aa_XX" and the end.
convert::Json languages() {
  convert::Json tokenizer = word_tokenizer(61);
  const std::pair<std::string, int32_t> names[] = {{"aa_XX", 58}, {"bb_YY", 59}, {"</s>", 60}};
  convert::Json words = convert::Json::object(), added = convert::Json::array();
  for (int32_t i = 0; i < 58; ++i) words["w" + std::to_string(i)] = i;
  for (const auto& [name, id] : names) {
    words[name] = id;
    added.push_back({{"id", id}, {"content", name}, {"special", true}});
  }
  tokenizer["added_tokens"] = added;
  tokenizer["model"] = {{"type", "WordLevel"}, {"vocab", words}, {"unk_token", "w0"}};
  tokenizer["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"</s>", 60}}, {"cls", {"aa_XX", 58}}};
  return tokenizer;
}

Model converted(const convert::Json& tokenizer, const convert::Json& generation) {
  convert::CheckpointFolder folder("translator");
  folder.write(translator_checkpoint());
  folder.write("tokenizer.json", tokenizer);
  folder.write("generation_config.json", generation);
  convert::Options options;
  options.weights = "f32";
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  return must(Model::open(folder.path("out.linnet").c_str()));
}

const convert::Json kPlain = {{"decoder_start_token_id", 0}, {"eos_token_id", 60}, {"max_length", 9}};

/// Greedy words from ids of a source, by runs of one token.
std::string by_hand(const Model& model, const std::vector<int32_t>& source, std::vector<int32_t> begin, size_t most) {
  Session session = opened(model, {.context = 64, .threads = 1});
  const SequenceId sequence = with_source(&session, source);
  while (begin.size() < most + 1) {
    must(session.prefill("decode", {.sequence = sequence, .tokens = std::span(begin).subspan(session.length(sequence))}));
    const std::vector<float> logits = output(session);
    const auto id = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (id == 60) break;
    begin.push_back(id);
  }
  std::vector<int32_t> written;
  for (size_t i = 1; i < begin.size(); ++i)
    if (begin[i] < 58) written.push_back(begin[i]);
  return words(written);
}

Texts translated(Translator& translator, std::vector<std::string_view> texts, const Languages& languages = {}) {
  must(translator.translate(texts, languages));
  Texts results;
  for (size_t i = 0; i < translator.results(); ++i) results.emplace_back(translator.result(i));
  return results;
}

std::string refusal(Translator& translator, const Languages& languages) {
  const std::string_view text = "w5";
  return translator.translate({&text, 1}, languages).message();
}

}  // namespace

TEST_CASE("each text becomes what greedy writing makes of its source, alone and among others") {
  const Model model = converted(languages(), kPlain);
  Translator translator = must(Translator::create(model, {.beams = 1, .batch_texts = 2, .threads = 1}));
  const Texts expected = {by_hand(model, {58, 5, 60}, {0}, 8), by_hand(model, {58, 9, 8, 7, 6, 60}, {0}, 8),
                          by_hand(model, {58, 40, 60}, {0}, 8)};
  CHECK(expected[0] != expected[1]);
  CHECK(translated(translator, {"w5", "w9 w8 w7 w6", "w40"}) == expected);
  CHECK(translated(translator, {"w40"}) == Texts{expected[2]});
  CHECK(translated(translator, {}).empty());
}

TEST_CASE("beams are followed where they are asked for, or the file asks") {
  const Model model = converted(languages(), kPlain);
  convert::Json three = kPlain;
  three["num_beams"] = 3;
  const Model with_beams = converted(languages(), three);
  Translator asked = must(Translator::create(model, {.beams = 3, .threads = 1})),
             said = must(Translator::create(with_beams, {.threads = 1}));
  CHECK(said.session().plan().limits().sequences == 3);
  CHECK(translated(asked, {"w5 w6", "w30"}) == translated(said, {"w5 w6", "w30"}));
}

TEST_CASE("languages take the place of the file's own: beside the source, and in front of what is written") {
  const Model model = converted(languages(), kPlain);
  Translator translator = must(Translator::create(model, {.beams = 1, .threads = 1}));
  CHECK(translated(translator, {"w5"}, {.source = "bb_YY", .target = ""}) == Texts{by_hand(model, {59, 5, 60}, {0}, 8)});
  // The text has a start of its own, which the language follows.
  CHECK(translated(translator, {"w5"}, {.source = "", .target = "bb_YY"}) == Texts{by_hand(model, {58, 5, 60}, {0, 59}, 8)});
  CHECK(translated(translator, {"w5"}) == Texts{by_hand(model, {58, 5, 60}, {0}, 8)});
  // Here the language is the start.
  convert::Json code = kPlain;
  code["decoder_start_token_id"] = 58;
  const Model other = converted(languages(), code);
  Translator begins = must(Translator::create(other, {.beams = 1, .threads = 1}));
  CHECK(translated(begins, {"w5"}, {.source = "", .target = "bb_YY"}) == Texts{by_hand(other, {58, 5, 60}, {59}, 8)});
  CHECK(refusal(translator, {.source = "cc_ZZ", .target = ""}).find("'cc_ZZ'") != std::string::npos);
  CHECK(refusal(translator, {.source = "", .target = "w5"}).find("'w5'") != std::string::npos);
  const Model silent = converted(word_tokenizer(61), kPlain);
  Translator none = must(Translator::create(silent, {.beams = 1, .threads = 1}));
  CHECK(refusal(none, {.source = "", .target = "bb_YY"}) != "");
}

TEST_CASE("a model that reads no source is refused") {
  const Status status = Translator::create(open_converted(decoder_checkpoint(), "f32")).status();
  CHECK(status.code() == Code::unsupported);
}

TEST_CASE("a conversation goes on from what was said, which a model that reads sources does not") {
  const Status status = Conversation::create(converted(languages(), kPlain)).status();
  CHECK(status.code() == Code::unsupported);
  CHECK(std::string(status.message()).find("text_to_text") != std::string::npos);
}
