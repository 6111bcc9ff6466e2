// Tables that no converter wrote: whatever is in them, a tokenizer is refused or works on any text without reading beyond them.
#include "format/parse.h"
#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

TokenizerDraft everything(schema::TokenizerKind kind) {
  TokenizerDraft draft = draft_of(kind, {"<unk>", "a", "b", "ab", "##b", "<0xC3>", "\xC4\xA0",
                                         "\xC4\xA0"
                                         "a",
                                         "[UNK]"});
  draft.scores = {0, -1, -2, -3, -4, 0, -1, -2, -9};
  draft.merges = {{"a", "b"}, {"\xC4\xA0", "a"}};
  draft.unknown_id = 0;
  draft.continuing_prefix = kind == schema::TokenizerKind::word_piece ? "##" : "";
  draft.byte_fallback = draft.fuse_unknown = true;
  draft.added = {added(8, "[UNK]"), added(20, "<|end|>", false)};
  draft.added[1].normalized = draft.added[1].lstrip = true;
  draft.normalizer = {stage("nfkc"), stage("lowercase"), stage("replace", "b", "ba")};
  draft.pre_tokenizer = {split_at("gpt2"), stage("prepend", " "), stage("byte_level")};
  draft.decoder = {stage("replace", "a", "xy"), stage("byte_fallback"), stage("byte_level"), stage("strip", "x", "", 1 | 1 << 16)};
  draft.single = {{8, -1, 0}, {-1, 0, 0}};
  return draft;
}

// Whether the bytes are a model whose tables may be looked at.
bool is_sound(const std::vector<uint8_t>& bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  const auto* model = flatbuffers::GetRoot<schema::Model>(bytes.data());
  return verifier.VerifyBuffer<schema::Model>(nullptr) && model->tokenizer();
}

void use(const Tokenizer& tokenizer, Random& random) {
  for (int round = 0; round < 4; ++round) {
    const std::string text = round % 2 ? random_bytes(random, 40) : random_characters(random, 20);
    Ids ids, types;
    (void)tokenizer.encode(text, {}, &ids);
    (void)tokenizer.encode_pair(text, text, {.max_tokens = 7}, &ids, &types);
    IdVector decodable(ids.begin(), ids.end());
    for (int i = 0; i < 5; ++i) decodable.push_back(static_cast<int32_t>(random.below(40)) - 5);
    Text back;
    (void)tokenizer.decode(decodable, round % 2 == 0, &back);
    StreamDecoder decoder(tokenizer, false);
    for (int32_t id : decodable) (void)decoder.put(id, &back);
    (void)decoder.finish(&back);
  }
}

}  // namespace

TEST_CASE("changed tables are refused or give some ids, for every kind of tokenizer") {
  Random random(41);
  for (schema::TokenizerKind kind :
       {schema::TokenizerKind::word_piece, schema::TokenizerKind::byte_level_bpe, schema::TokenizerKind::sentence_piece_bpe,
        schema::TokenizerKind::unigram, schema::TokenizerKind::word_level}) {
    TokenizerDraft draft = everything(kind);
    if (kind == schema::TokenizerKind::sentence_piece_bpe || kind == schema::TokenizerKind::word_piece) draft.merges.clear();
    const std::vector<uint8_t> bytes = tables_of(draft);
    REQUIRE(created(draft).ok());
    size_t accepted = 0;
    for (int round = 0; round < 3000; ++round) {
      std::vector<uint8_t> changed = bytes;
      for (size_t i = random.below(3) + 1; i > 0; --i) changed[random.below(changed.size())] = static_cast<uint8_t>(random.below(256));
      if (!is_sound(changed)) continue;
      const Result<Tokenizer> tokenizer = text::create_tokenizer(changed.data(), changed.size());
      if (!tokenizer.ok()) {
        CHECK(std::string(tokenizer.status().message()) != "");
        continue;
      }
      ++accepted;
      use(*tokenizer, random);
    }
    CHECK(accepted > 100);
  }
}

TEST_CASE("a hash without an empty bucket, or with a long run of full ones, is refused") {
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<uint8_t> letters = {'a'};
  const std::vector<uint32_t> ends = {1};
  const auto refused = [&](const std::vector<uint32_t>& buckets) {
    builder.Clear();
    const auto table = schema::CreateTokenizerDirect(builder, schema::TokenizerKind::word_level, &letters, &ends, nullptr, nullptr, nullptr,
                                                     nullptr, buckets.empty() ? nullptr : &buckets);
    builder.Finish(table);
    text::Vocabulary vocabulary;
    return std::string(vocabulary.create(*flatbuffers::GetRoot<schema::Tokenizer>(builder.GetBufferPointer())).message());
  };
  CHECK(refused({1, 1, 1, 1}) == "the tokenizer's piece hash has no empty bucket");
  CHECK(refused({1, 0, 1}) == "the tokenizer's piece hash has 3 buckets, expected a power of two");
  CHECK(refused({2, 0}) == "the tokenizer's piece hash names piece 1, but there are 1");
  CHECK(refused({}) == "the tokenizer has 1 pieces and no hash of them");
  std::vector<uint32_t> crowded(8192, 1);
  crowded[0] = crowded[1] = 0;
  CHECK(refused(crowded) == "the tokenizer's piece hash has 8190 buckets in a row without an empty one, expected at most 4096");
  std::vector<uint32_t> around(8192, 0);
  for (size_t i = 0; i < 2500; ++i) around[i] = around[8191 - i] = 1;
  CHECK(refused(around).find("5000 buckets in a row") != std::string::npos);
}

TEST_CASE("walks through a tree end at its bounds, whatever its units are") {
  Random random(9);
  for (int round = 0; round < 300; ++round) {
    const std::string units = random_bytes(random, 4 * (random.below(600) + 1));
    const text::Trie trie(reinterpret_cast<const uint8_t*>(units.data()), units.size() / 4);
    size_t node = trie.root();
    int32_t value = -1;
    for (int i = 0; i < 1000; ++i) {
      if (!trie.step(&node, static_cast<uint8_t>(random.below(256)), &value)) node = trie.root();
      CHECK(value >= -1);
    }
  }
}
