#include "convert/text/word_starts.h"

#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const std::string kSpace = "\xE2\x96\x81";

TokenizerDraft pairs(std::vector<std::string> more = {}) {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::sentence_piece_bpe, {"<unk>", kSpace, "a", "b", kSpace + kSpace, kSpace + "a",
                                                                              kSpace + kSpace + "a", "ab", "aa", kSpace + "ab"});
  draft.pieces.insert(draft.pieces.end(), more.begin(), more.end());
  draft.types.assign(draft.pieces.size(), TokenizerDraft::normal);
  for (size_t i = 0; i < draft.pieces.size(); ++i) draft.scores.push_back(-static_cast<float>(i * 7 % 11));
  draft.unknown_id = 0;
  draft.fuse_unknown = true;
  return draft;
}

}  // namespace

TEST_CASE("cutting where words start changes no id") {
  TokenizerDraft cut = pairs();
  REQUIRE(convert::cut_at_word_starts(&cut));
  const Tokenizer whole = tokenizer_of(pairs()), in_words = tokenizer_of(cut);
  Random random(19);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t i = random.below(40); i > 0; --i)
      text += std::vector<std::string>{kSpace, "a", "b", "x", kSpace, "\xC3\xA9"}[random.below(6)];
    CHECK(encoded(in_words, text) == encoded(whole, text));
  }
}

TEST_CASE("nothing is cut where a piece could cross the start of a word") {
  TokenizerDraft crossing = pairs({"a" + kSpace}), inside = pairs({kSpace + "a" + kSpace}), short_one = pairs({"." + kSpace + kSpace});
  CHECK_FALSE(convert::cut_at_word_starts(&crossing));
  CHECK_FALSE(convert::cut_at_word_starts(&inside));
  CHECK_FALSE(convert::cut_at_word_starts(&short_one));
  TokenizerDraft without_space = pairs();
  without_space.pieces[1] = "c";
  CHECK_FALSE(convert::cut_at_word_starts(&without_space));
  TokenizerDraft other = pairs();
  other.kind = schema::TokenizerKind::unigram;
  CHECK_FALSE(convert::cut_at_word_starts(&other));
  CHECK(crossing.pre_tokenizer.empty());
}
