#include <cmath>

#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Scored {
  std::string piece;
  float score;
};
const std::vector<Scored> kPieces = {{"<unk>", 0},  {"a", -3},   {"b", -3.5f}, {"c", -4},     {"ab", -5},
                                     {"bc", -4.5f}, {"abc", -9}, {"ca", -6},   {"cab", -6.5f}};

TokenizerDraft unigram(const std::vector<Scored>& pieces) {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::unigram, {});
  for (const Scored& scored : pieces) {
    draft.pieces.push_back(scored.piece);
    draft.scores.push_back(scored.score);
  }
  draft.types.assign(pieces.size(), TokenizerDraft::normal);
  draft.unknown_id = 0;
  return draft;
}

// The largest sum over all ways to cut `text`, each tried.
double best_of_all(const std::string& text, double unknown) {
  if (text.empty()) return 0;
  double best = -INFINITY;
  bool covered = false;
  for (const Scored& scored : kPieces)
    if (text.rfind(scored.piece, 0) == 0) {
      covered = covered || scored.piece.size() == 1;
      best = std::max(best, scored.score + best_of_all(text.substr(scored.piece.size()), unknown));
    }
  return covered ? best : std::max(best, unknown + best_of_all(text.substr(1), unknown));
}

}  // namespace

TEST_CASE("the pieces of the largest sum are taken") {
  const Tokenizer tokenizer = tokenizer_of(unigram(kPieces));
  CHECK(encoded(tokenizer, "abc") == IdVector{1, 5});    // -7.5 against -9
  CHECK(encoded(tokenizer, "cab") == IdVector{8});       // -6.5 against -9.0 and -9.5
  CHECK(encoded(tokenizer, "abcab") == IdVector{4, 8});  // -11.5 against -12.5
}

TEST_CASE("the sum is the largest of all ways to cut a text") {
  const Tokenizer tokenizer = tokenizer_of(unigram(kPieces));
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (size_t i = random.below(9); i > 0; --i) text += "abc"[random.below(3)];
    double sum = 0;
    std::string joined;
    for (int32_t id : encoded(tokenizer, text)) {
      sum += kPieces[static_cast<size_t>(id)].score;
      joined += tokenizer.piece(id);
    }
    CHECK(joined == text);
    CHECK(sum == doctest::Approx(best_of_all(text, -19)));
  }
}

TEST_CASE("neighbouring characters that no piece covers become one unknown piece, or their bytes") {
  CHECK(encoded(tokenizer_of(unigram(kPieces)), "axyb") == IdVector{1, 0, 2});
  std::vector<Scored> with_bytes = kPieces;
  with_bytes.push_back({"<0xC3>", 0});
  with_bytes.push_back({"<0xA9>", 0});
  TokenizerDraft draft = unigram(with_bytes);
  draft.types[9] = draft.types[10] = TokenizerDraft::byte;
  draft.byte_fallback = true;
  draft.text_matches_control = false;
  CHECK(encoded(tokenizer_of(draft), "a\xC3\xA9") == IdVector{1, 9, 10});
  CHECK(encoded(tokenizer_of(draft), "a\xC3\xA8") == IdVector{1, 0});
}

TEST_CASE("equal sums are settled for the piece that was found first") {
  const Tokenizer tokenizer = tokenizer_of(unigram({{"<unk>", 0}, {"a", -1}, {"aa", -2}}));
  CHECK(encoded(tokenizer, "aa") == IdVector{2});
}

TEST_CASE("a unigram tokenizer without scores or without its tree is refused") {
  TokenizerDraft draft = unigram(kPieces);
  draft.scores.clear();
  const Result<Tokenizer> refused = created(draft);
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string(refused.status().message()) == "a unigram tokenizer has no scores");
}

TEST_CASE("word levels know whole words alone") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {"<unk>", "one", "two"});
  draft.pre_tokenizer = {split_at("white_space", text::Behavior::removed)};
  CHECK(encoded(tokenizer_of(draft), "one three two") == IdVector{1, 2});
  draft.unknown_id = 0;
  CHECK(encoded(tokenizer_of(draft), "one three two") == IdVector{1, 0, 2});
}
