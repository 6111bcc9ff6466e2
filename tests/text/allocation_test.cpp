// Memory that runs out at the n-th allocation, for every n: an error, nothing lost, and the next attempt succeeds.
#include "core/failing_memory.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

TokenizerDraft full(schema::TokenizerKind kind) {
  TokenizerDraft draft = draft_of(kind, {"<unk>", "a", "b", "ab", "c"});
  draft.scores = {0, -1, -2, -3, -4};
  if (kind == schema::TokenizerKind::byte_level_bpe) draft.merges = {{"a", "b"}};
  draft.unknown_id = 0;
  draft.added = {added(9, "<x>"), added(10, "C", false)};
  draft.added[1].normalized = true;
  draft.normalizer = {stage("lowercase_input"), stage("nfc"), stage("lowercase"), stage("replace", "bb", "b")};
  draft.pre_tokenizer = {split_at("gpt2"), stage("prepend", "a")};
  draft.decoder = {stage("byte_fallback"), stage("fuse"), stage("replace", "a", "xy"), stage("strip", "x", "", 1 | 1 << 16)};
  return draft;
}

// All that a tokenizer does, from its tables to text.
Status use(const std::vector<uint8_t>& tables) {
  LINNET_ASSIGN(const Tokenizer tokenizer, text::create_tokenizer(tables.data(), tables.size()));
  Ids ids, types;
  LINNET_TRY(tokenizer.encode("ab\xFF c<x>e\xCC\x81 aabbcccabababababababababababababababab", {}, &ids));
  LINNET_TRY(tokenizer.encode_pair("ab", "C", {}, &ids, &types));
  Text text;
  LINNET_TRY(tokenizer.decode({ids.data(), ids.size()}, false, &text));
  StreamDecoder decoder(tokenizer, false);
  for (int32_t id : ids) LINNET_TRY(decoder.put(id, &text));
  return decoder.finish(&text);
}

}  // namespace

TEST_CASE("memory that runs out anywhere is an error, and nothing is lost") {
  for (schema::TokenizerKind kind : {schema::TokenizerKind::word_piece, schema::TokenizerKind::byte_level_bpe,
                                     schema::TokenizerKind::sentence_piece_bpe, schema::TokenizerKind::unigram}) {
    const std::vector<uint8_t> tables = tables_of(full(kind));
    const size_t failures = fail_every_allocation([&] { return use(tables).code(); });
    CHECK(failures > 20);
    CHECK(use(tables).ok());
  }
}
