#include <algorithm>
#include <map>

#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

TokenizerDraft letters(const Merges& merges) {
  std::vector<std::string> pieces = {"a", "b", "c", "d"};
  for (const auto& [left, right] : merges) pieces.push_back(left + right);
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, pieces);
  draft.merges = merges;
  return draft;
}

// Joins the pair of the lowest rank, the leftmost of equals, looking at everything again every time.
std::vector<std::string> merged_naively(const std::string& text, const Merges& merges) {
  std::vector<std::string> parts;
  for (char c : text) parts.emplace_back(1, c);
  for (;;) {
    size_t best = merges.size(), place = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = std::find(merges.begin(), merges.end(), std::pair(parts[i], parts[i + 1]));
      if (static_cast<size_t>(found - merges.begin()) < best) best = static_cast<size_t>(found - merges.begin()), place = i;
    }
    if (best == merges.size()) return parts;
    parts[place] += parts[place + 1];
    parts.erase(parts.begin() + static_cast<long>(place) + 1);
  }
}

TokenizerDraft sentence_piece() {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::sentence_piece_bpe, {"<unk>", "a", "b", "ab", "ba", "abb", "<0xC3>", "<0xA9>"});
  draft.scores = {0, -10, -10, -2, -1, -3, 0, 0};
  draft.types[0] = TokenizerDraft::unknown;
  draft.types[6] = draft.types[7] = TokenizerDraft::byte;
  draft.unknown_id = 0;
  draft.byte_fallback = true;
  draft.fuse_unknown = true;
  return draft;
}

}  // namespace

TEST_CASE("the merge of the lowest rank comes first, then the leftmost") {
  const Tokenizer tokenizer = tokenizer_of(letters({{"b", "c"}, {"a", "b"}, {"a", "bc"}}));
  CHECK(encoded(tokenizer, "abc") == IdVector{6});
  CHECK(encoded(tokenizer, "abab") == IdVector{5, 5});
  CHECK(encoded(tokenizer, "aabcd") == IdVector{0, 6, 3});
}

TEST_CASE("merging agrees with looking at every pair again, for short words and long ones") {
  Random random(7);
  for (int round = 0; round < 60; ++round) {
    Merges merges;
    std::vector<std::string> known = {"a", "b", "c", "d"};
    while (merges.size() < 25) {
      const std::pair merge(known[random.below(known.size())], known[random.below(known.size())]);
      if (std::find(known.begin(), known.end(), merge.first + merge.second) != known.end()) continue;
      known.push_back(merge.first + merge.second);
      merges.push_back(merge);
    }
    const Tokenizer tokenizer = tokenizer_of(letters(merges));
    for (size_t length : {1u, 5u, 23u, 24u, 25u, 60u, 200u}) {
      std::string text;
      for (size_t i = 0; i < length; ++i) text += "abcd"[random.below(random.below(4) + 1)];
      std::vector<std::string> pieces;
      for (int32_t id : encoded(tokenizer, text)) pieces.emplace_back(tokenizer.piece(id));
      CHECK(pieces == merged_naively(text, merges));
    }
  }
}

TEST_CASE("a piece that is a token stays whole where merges are to be ignored") {
  TokenizerDraft draft = letters({{"a", "b"}});
  draft.pieces.push_back("abcd");
  draft.types.push_back(TokenizerDraft::normal);
  CHECK(encoded(tokenizer_of(draft), "abcd") == IdVector{4, 2, 3});
  draft.ignore_merges = true;
  CHECK(encoded(tokenizer_of(draft), "abcd") == IdVector{5});
}

TEST_CASE("prefixes of continuing pieces and suffixes of words belong to the pieces") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"a", "a</w>", "b", "b</w>", "ab</w>"});
  draft.end_of_word_suffix = "</w>";
  draft.merges = {{"a", "b</w>"}};
  CHECK(encoded(tokenizer_of(draft), "ab") == IdVector{4});
  CHECK(encoded(tokenizer_of(draft), "ba") == IdVector{2, 1});
  TokenizerDraft prefixed = draft_of(schema::TokenizerKind::byte_level_bpe, {"a", "@@b", "ab"});
  prefixed.continuing_prefix = "@@";
  prefixed.merges = {{"a", "@@b"}};
  CHECK(encoded(tokenizer_of(prefixed), "ab") == IdVector{2});
}

TEST_CASE("an unknown character is dropped, one piece each, or one piece together") {
  TokenizerDraft draft = letters({});
  CHECK(encoded(tokenizer_of(draft), "axyb") == IdVector{0, 1});
  draft.unknown_id = 3;
  CHECK(encoded(tokenizer_of(draft), "axyb") == IdVector{0, 3, 3, 1});
  draft.fuse_unknown = true;
  CHECK(encoded(tokenizer_of(draft), "axyb") == IdVector{0, 3, 1});
}

TEST_CASE("an unknown character becomes the pieces of its bytes, if all are there") {
  TokenizerDraft draft = letters({});
  draft.pieces.insert(draft.pieces.end(), {"<0xC3>", "<0xA9>"});
  draft.types.assign(6, TokenizerDraft::normal);
  draft.unknown_id = 3;
  draft.byte_fallback = true;
  CHECK(encoded(tokenizer_of(draft), "a\xC3\xA9") == IdVector{0, 4, 5});
  CHECK(encoded(tokenizer_of(draft), "a\xC3\xA8") == IdVector{0, 3});
}

TEST_CASE("scores order the merges of SentencePiece, the leftmost of equals first") {
  const Tokenizer tokenizer = tokenizer_of(sentence_piece());
  CHECK(encoded(tokenizer, "aba") == IdVector{1, 4});  // ba scores more than ab
  CHECK(encoded(tokenizer, "ab") == IdVector{3});
  TokenizerDraft equal = sentence_piece();
  equal.scores[4] = -2;
  CHECK(encoded(tokenizer_of(equal), "aba") == IdVector{3, 1});
  CHECK(encoded(tokenizer, "abb") == IdVector{5});
}

TEST_CASE("pieces of bytes and unknown pieces never come from text that is written like them") {
  const Tokenizer tokenizer = tokenizer_of(sentence_piece());
  CHECK(encoded(tokenizer, "\xC3\xA9") == IdVector{6, 7});
  CHECK(encoded(tokenizer, "xyza") == IdVector{0, 1});
}

TEST_CASE("scores of both signs are ordered as numbers") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::sentence_piece_bpe, {"a", "b", "c", "ab", "bc"});
  draft.scores = {0, 0, 0, -0.5f, 0.25f};
  CHECK(encoded(tokenizer_of(draft), "abc") == IdVector{0, 4});
  draft.scores = {0, 0, 0, 0.0f, -0.0f};
  CHECK(encoded(tokenizer_of(draft), "abc") == IdVector{3, 2});
}
