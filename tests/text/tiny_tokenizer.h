// Tokenizers of a few pieces, written by the converter's own code, and short ways to ask them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "convert/text/tokenizer_draft.h"
#include "text/pipeline.h"
#include "text/tokenizer_impl.h"

namespace linnet::tests {

using convert::StageDraft;
using convert::TokenizerDraft;
using IdVector = std::vector<int32_t>;

inline StageDraft stage(const std::string& kind, const std::string& text = "", const std::string& second = "", int32_t number = 0,
                        uint32_t flags = 0) {
  StageDraft draft;
  draft.kind = kind;
  draft.text = text;
  draft.second = second;
  draft.number = number;
  draft.flags = flags;
  return draft;
}

inline StageDraft split_at(const std::string& scanner, text::Behavior behavior = text::Behavior::isolated) {
  return stage("split", scanner, "", static_cast<int32_t>(behavior), text::kScanner);
}

inline convert::AddedDraft added(uint32_t id, const std::string& content, bool special = true) {
  convert::AddedDraft token;
  token.id = id;
  token.content = content;
  token.special = special;
  return token;
}

inline TokenizerDraft draft_of(schema::TokenizerKind kind, const std::vector<std::string>& pieces) {
  TokenizerDraft draft;
  draft.kind = kind;
  draft.pieces = pieces;
  draft.types.assign(pieces.size(), TokenizerDraft::normal);
  return draft;
}

inline std::vector<uint8_t> tables_of(const TokenizerDraft& draft) {
  flatbuffers::FlatBufferBuilder builder;
  const auto tokenizer = write_tokenizer(builder, draft);
  const std::vector<flatbuffers::Offset<flatbuffers::String>> requirements;
  const std::vector<flatbuffers::Offset<schema::Tensor>> tensors;
  const std::vector<flatbuffers::Offset<schema::Program>> programs;
  builder.Finish(schema::CreateModelDirect(builder, &requirements, "", schema::Task::none, &tensors, nullptr, &programs, tokenizer));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

inline Result<Tokenizer> created(const TokenizerDraft& draft) {
  const std::vector<uint8_t> bytes = tables_of(draft);
  return text::create_tokenizer(bytes.data(), bytes.size());
}

inline Tokenizer tokenizer_of(const TokenizerDraft& draft) {
  Result<Tokenizer> tokenizer = created(draft);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.status().message());
  return std::move(*tokenizer);
}

inline IdVector encoded(const Tokenizer& tokenizer, std::string_view text, Tokenizer::EncodeOptions options = {}) {
  Ids ids;
  const Status status = tokenizer.encode(text, options, &ids);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return {ids.begin(), ids.end()};
}

inline std::string decoded(const Tokenizer& tokenizer, const IdVector& ids, bool skip_special = false) {
  Text text;
  const Status status = tokenizer.decode(ids, skip_special, &text);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return std::string(view(text));
}

/// What a stream decoder releases after each id; the last also flushes.
inline std::vector<std::string> streamed(const Tokenizer& tokenizer, const IdVector& ids) {
  StreamDecoder decoder(tokenizer, false);
  std::vector<std::string> parts;
  for (size_t i = 0; i < ids.size(); ++i) {
    Text text;
    REQUIRE(decoder.put(ids[i], &text).ok());
    if (i + 1 == ids.size()) REQUIRE(decoder.finish(&text).ok());
    parts.emplace_back(view(text));
  }
  return parts;
}

}  // namespace linnet::tests
