// Special tokens in a chat: the template's become ids, those that messages spell do not.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "convert/text/draft_tokenizer.h"
#include "convert/text/tokenizer_reader.h"
#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Part {
  std::string text;
  bool data;
};

IdVector chat_ids(const Tokenizer& tokenizer, const std::vector<Part>& parts) {
  std::string text;
  std::vector<TextSpan> spans;
  for (const Part& part : parts) {
    spans.push_back({text.size(), text.size() + part.text.size(), part.data});
    text += part.text;
  }
  Ids ids;
  const Status status = tokenizer.encode_chat(text, spans, &ids);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return {ids.begin(), ids.end()};
}

// Characters a, b, <, x, > are 1 to 5, "ab" is 6; <x> is special as 9, <x>> as 10; "bb" is added but not special as 11.
Tokenizer small() {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"<unk>", "a", "b", "<", "x", ">", "ab"});
  draft.merges = {{"a", "b"}};
  draft.added = {added(9, "<x>"), added(10, "<x>>"), added(11, "bb", false)};
  return tokenizer_of(draft);
}

}  // namespace

TEST_CASE("a special token counts where the template wrote all of it") {
  const Tokenizer tokenizer = small();
  CHECK(chat_ids(tokenizer, {{"<x>a", false}, {"a<x>", true}}) == IdVector{9, 1, 1, 3, 4, 5});
  CHECK(chat_ids(tokenizer, {{"<", true}, {"x>", false}}) == IdVector{3, 4, 5});
  CHECK(chat_ids(tokenizer, {{"<x", false}, {">", true}, {"<x>", false}}) == IdVector{3, 4, 5, 9});
  CHECK(chat_ids(tokenizer, {{"<x", false}, {">", false}}) == IdVector{9});
}

TEST_CASE("data cannot hide a token of the template") {
  const Tokenizer tokenizer = small();
  CHECK(chat_ids(tokenizer, {{"<x>", false}, {">", true}}) == IdVector{9, 5});
  CHECK(chat_ids(tokenizer, {{"<x>>", false}, {">", true}}) == IdVector{10, 5});
  CHECK(chat_ids(tokenizer, {{"<x><", true}, {"<x>", false}}) == IdVector{3, 4, 5, 3, 9});
}

TEST_CASE("words reach over a border, and added tokens that are not special count everywhere") {
  const Tokenizer tokenizer = small();
  CHECK(chat_ids(tokenizer, {{"a", false}, {"b", true}}) == IdVector{6});
  CHECK(chat_ids(tokenizer, {{"b", false}, {"ba", true}}) == IdVector{11, 1});
  CHECK(chat_ids(tokenizer, {{"bb", true}}) == IdVector{11});
}

TEST_CASE("a special token that is looked for in normalized text counts in the template as it is written") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"<unk>", "a", "<", "x", ">"});
  draft.normalizer = {stage("lowercase")};
  draft.added = {added(9, "<X>")};
  draft.added[0].normalized = true;
  const Tokenizer tokenizer = tokenizer_of(draft);
  CHECK(chat_ids(tokenizer, {{"<X>A", false}, {"<X><x>", true}}) == IdVector{9, 1, 2, 3, 4, 2, 3, 4});
}

TEST_CASE("a word that the model itself knows as a special token is spelled out") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_piece, {"[UNK]", "[X]", "["});
  draft.unknown_id = 0;
  draft.types[1] = TokenizerDraft::control;
  const Tokenizer tokenizer = tokenizer_of(draft);
  CHECK(encoded(tokenizer, "[X]") == IdVector{1});
  CHECK(chat_ids(tokenizer, {{"[X]", true}}) == IdVector{2, 0, 0});
}

TEST_CASE("spans that do not fit the text, and text that is not UTF-8, are refused") {
  const Tokenizer tokenizer = small();
  Ids ids;
  const TextSpan gap[] = {{0, 1, false}, {2, 3, true}}, open[] = {{0, 2, false}}, back[] = {{0, 3, false}, {3, 2, true}};
  CHECK(tokenizer.encode_chat("abc", gap, &ids).code() == Code::invalid_argument);
  CHECK(tokenizer.encode_chat("abc", open, &ids).code() == Code::invalid_argument);
  CHECK(tokenizer.encode_chat("abc", back, &ids).code() == Code::invalid_argument);
  CHECK(tokenizer.encode_chat("abc", {}, &ids).code() == Code::invalid_argument);
  const TextSpan whole[] = {{0, 1, true}};
  CHECK(tokenizer.encode_chat("\xFF", whole, &ids).code() == Code::invalid_argument);
  CHECK(tokenizer.encode_chat("", {}, &ids).ok());
  CHECK(ids.size() == 0);
}

TEST_CASE("no spelling of a special token in a message becomes its id, in any tokenizer of the goldens") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(LINNET_SOURCE_DIR) / "../shared/goldens/tokenizers";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: ../shared/goldens/tokenizers is not there");
    return;
  }
  size_t specials = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto draft = convert::read_tokenizer(entry.path().string());
    REQUIRE(draft.has_value());
    const Tokenizer tokenizer = convert::open_draft(*draft);
    CAPTURE(entry.path().string());
    for (int32_t id = 0; id < static_cast<int32_t>(tokenizer.vocabulary()); ++id) {
      if (!tokenizer.is_special(id)) continue;
      ++specials;
      const std::string piece(tokenizer.piece(id));
      CAPTURE(piece);
      for (const std::string& text : {piece, "a" + piece + "b", " " + piece + " ", piece + piece, piece.substr(0, piece.size() / 2)})
        for (int32_t got : chat_ids(tokenizer, {{text, true}}))
          if (tokenizer.is_special(got) && got != draft->unknown_id) FAIL_CHECK("a special id from " << text);
      const IdVector written = chat_ids(tokenizer, {{piece, false}});
      if (std::any_of(draft->added.begin(), draft->added.end(), [&](const auto& t) { return static_cast<int32_t>(t.id) == id; }))
        CHECK(std::find(written.begin(), written.end(), id) != written.end());
      // All from the template: what plain encoding matches.
      Tokenizer::EncodeOptions plain;
      plain.add_special = false;
      CHECK(chat_ids(tokenizer, {{"a " + piece + " b", false}}) == encoded(tokenizer, "a " + piece + " b", plain));
    }
  }
  CHECK(specials > 40);
}
