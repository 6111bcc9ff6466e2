#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"
#include "convert/text/trie_builder.h"
#include "text/vocabulary.h"

namespace linnet::convert {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Stages = std::vector<Offset<schema::Stage>>;

// At most half full, so that searches stay short.
std::vector<uint32_t> empty_buckets(size_t entries) {
  size_t count = 4;
  while (count < entries * 2) count *= 2;
  return std::vector<uint32_t>(count, 0);
}

void insert(std::vector<uint32_t>& buckets, uint32_t hash, uint32_t index) {
  const size_t mask = buckets.size() - 1;
  size_t i = hash & mask;
  while (buckets[i] != 0) i = (i + 1) & mask;
  buckets[i] = index + 1;
}

using Ids = std::unordered_map<std::string, uint32_t>;

// Of pieces with the same text the first is the one that text becomes.
Ids ids_of(const TokenizerDraft& draft) {
  Ids ids;
  for (size_t i = 0; i < draft.pieces.size(); ++i)
    if (!draft.pieces[i].empty()) ids.emplace(draft.pieces[i], static_cast<uint32_t>(i));
  return ids;
}

struct Merges {
  std::vector<uint32_t> pairs, results, buckets;
};

Merges merges_of(const TokenizerDraft& draft, const Ids& ids) {
  Merges merges;
  merges.buckets = empty_buckets(draft.merges.size());
  auto id_of = [&](const std::string& piece, const auto& merge) {
    auto found = ids.find(piece);
    if (found == ids.end())
      throw Error(fmt::format("merge \"{} {}\": the vocabulary has no piece \"{}\"", merge.first, merge.second, piece));
    return found->second;
  };
  std::map<std::pair<uint32_t, uint32_t>, bool> seen;
  for (const auto& merge : draft.merges) {
    const uint32_t left = id_of(merge.first, merge), right = id_of(merge.second, merge);
    // The prefix of continuing pieces stands once in what two pieces join to.
    const std::string tail =
        merge.second.rfind(draft.continuing_prefix, 0) == 0 ? merge.second.substr(draft.continuing_prefix.size()) : merge.second;
    const uint32_t result = id_of(merge.first + tail, merge);
    const auto index = static_cast<uint32_t>(merges.results.size());
    merges.pairs.push_back(left);
    merges.pairs.push_back(right);
    merges.results.push_back(result);
    if (seen.emplace(std::pair(left, right), true).second) insert(merges.buckets, text::hash_pair(left, right), index);
  }
  return merges;
}

// Over the pieces that text can become, for the models that walk along the text.
std::vector<uint32_t> trie_of(const TokenizerDraft& draft, const Ids& ids) {
  if (draft.kind != schema::TokenizerKind::word_piece && draft.kind != schema::TokenizerKind::unigram) return {};
  std::vector<TrieKey> keys;
  for (const auto& [piece, id] : ids) {
    const uint8_t type = draft.types[id];
    const bool in_text = draft.text_matches_control || type == TokenizerDraft::normal || type == TokenizerDraft::user_defined;
    if (in_text && piece.find('\0') == piece.npos) keys.push_back({piece, id});
  }
  return build_trie(std::move(keys));
}

Stages write_stages(FlatBufferBuilder& builder, const std::vector<StageDraft>& drafts) {
  Stages stages;
  // Texts may hold zero bytes: none goes through a C string.
  for (const StageDraft& draft : drafts) {
    const auto kind = builder.CreateString(draft.kind), text = builder.CreateString(draft.text),
               second = builder.CreateString(draft.second);
    const auto bytes = builder.CreateVector(draft.bytes);
    stages.push_back(schema::CreateStage(builder, kind, text, second, bytes, draft.number, draft.flags));
  }
  return stages;
}

std::vector<Offset<schema::AddedToken>> write_added(FlatBufferBuilder& builder, const std::vector<AddedDraft>& drafts) {
  std::vector<Offset<schema::AddedToken>> added;
  for (const AddedDraft& draft : drafts) {
    auto content = builder.CreateString(draft.content);
    added.push_back(schema::CreateAddedToken(builder, draft.id, content, draft.special, draft.normalized, draft.lstrip, draft.rstrip,
                                             draft.single_word));
  }
  return added;
}

}  // namespace

Offset<schema::Tokenizer> write_tokenizer(FlatBufferBuilder& builder, const TokenizerDraft& draft) {
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> ends;
  for (const std::string& piece : draft.pieces) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
  const Ids ids = ids_of(draft);
  std::vector<uint32_t> buckets = empty_buckets(ids.size());
  for (size_t i = 0; i < draft.pieces.size(); ++i)
    if (auto found = ids.find(draft.pieces[i]); found != ids.end() && found->second == i)
      insert(buckets, text::hash_bytes(draft.pieces[i]), static_cast<uint32_t>(i));
  const Merges merges = merges_of(draft, ids);
  const std::vector<uint32_t> trie = trie_of(draft, ids);
  const auto added = write_added(builder, draft.added);
  const Stages normalizer = write_stages(builder, draft.normalizer), pre_tokenizer = write_stages(builder, draft.pre_tokenizer),
               decoder = write_stages(builder, draft.decoder);
  const bool has_merges = !merges.results.empty();
  const auto bytes_at = builder.CreateVector(bytes);
  const auto ends_at = builder.CreateVector(ends);
  const auto types_at = builder.CreateVector(draft.types);
  const auto scores_at = draft.scores.empty() ? 0 : builder.CreateVector(draft.scores);
  const auto pairs_at = has_merges ? builder.CreateVector(merges.pairs) : 0;
  const auto results_at = has_merges ? builder.CreateVector(merges.results) : 0;
  const auto buckets_at = builder.CreateVector(buckets);
  const auto merge_buckets_at = has_merges ? builder.CreateVector(merges.buckets) : 0;
  const auto added_at = builder.CreateVector(added);
  const auto normalizer_at = builder.CreateVector(normalizer), pre_tokenizer_at = builder.CreateVector(pre_tokenizer),
             decoder_at = builder.CreateVector(decoder);
  const auto single_at = builder.CreateVectorOfStructs(draft.single), pair_at = builder.CreateVectorOfStructs(draft.pair);
  const auto prefix_at = builder.CreateString(draft.continuing_prefix), suffix_at = builder.CreateString(draft.end_of_word_suffix);
  const auto trie_at = trie.empty() ? 0 : builder.CreateVector(trie);
  return schema::CreateTokenizer(builder, draft.kind, bytes_at, ends_at, types_at, scores_at, pairs_at, results_at, buckets_at,
                                 merge_buckets_at, added_at, normalizer_at, pre_tokenizer_at, decoder_at, single_at, pair_at,
                                 draft.unknown_id, prefix_at, suffix_at, draft.max_word_characters, draft.byte_fallback, draft.fuse_unknown,
                                 draft.ignore_merges, draft.max_length, trie_at);
}

}  // namespace linnet::convert
