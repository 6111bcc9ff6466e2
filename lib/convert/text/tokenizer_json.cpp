#include "convert/text/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "convert/checkpoint.h"
#include "convert/readers/file.h"
#include "core/limits.h"

namespace linnet::convert {

namespace {

const TokenizerJson& part(const TokenizerJson& json, const char* key) {
  static const TokenizerJson kNull;
  auto found = json.find(key);
  return found == json.end() ? kNull : *found;
}

AddedDraft read_added(const TokenizerJson& node) {
  AddedDraft token;
  token.id = node.at("id").get<uint32_t>();
  token.content = node.at("content").get<std::string>();
  token.special = flag(node, "special", false);
  token.normalized = flag(node, "normalized", !token.special);
  token.lstrip = flag(node, "lstrip", false);
  token.rstrip = flag(node, "rstrip", false);
  token.single_word = flag(node, "single_word", false);
  return token;
}

void read_truncation(const TokenizerJson& node, TokenizerDraft* draft) {
  if (node.is_null()) return;
  if (text_or(node, "direction", "Right") != "Right")
    draft->foreign_cut = "the tokenizer cuts long texts on the left, which this library does not do";
  if (text_or(node, "strategy", "LongestFirst") != "LongestFirst")
    draft->foreign_cut = fmt::format("the tokenizer cuts long pairs by {}, which this library does not do", text_or(node, "strategy", ""));
  draft->max_length = node.at("max_length").get<uint32_t>();
}

void read_all(const TokenizerJson& json, TokenizerDraft* draft) {
  read_model_json(part(json, "model"), draft);
  draft->types.assign(draft->pieces.size(), TokenizerDraft::normal);
  if (const TokenizerJson& added = part(json, "added_tokens"); !added.is_null())
    for (const TokenizerJson& node : added)
      if (AddedDraft token = read_added(node); !token.content.empty()) draft->added.push_back(std::move(token));
  for (const AddedDraft& token : draft->added) {
    if (token.id >= core::limits::kVocabulary) throw Error(fmt::format("the added token \"{}\" has id {}", token.content, token.id));
    if (token.special && token.id < draft->types.size()) draft->types[token.id] = TokenizerDraft::control;
  }
  read_normalizer_json(part(json, "normalizer"), &draft->normalizer);
  read_pre_tokenizer_json(part(json, "pre_tokenizer"), &draft->pre_tokenizer);
  read_post_processor_json(part(json, "post_processor"), draft);
  read_decoder_json(part(json, "decoder"), &draft->decoder);
  read_truncation(part(json, "truncation"), draft);
}

}  // namespace

TokenizerDraft parse_tokenizer_json(const std::string& text, const std::string& name) {
  check_nesting(text, name);
  TokenizerDraft draft;
  try {
    read_all(TokenizerJson::parse(text), &draft);
  } catch (const TokenizerJson::exception& error) {
    throw Error(fmt::format("{}: {}", name, error.what()));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", name, error.what()));
  }
  return draft;
}

int32_t id_of(const TokenizerDraft& draft, const std::string& piece) {
  for (const AddedDraft& token : draft.added)
    if (token.content == piece) return static_cast<int32_t>(token.id);
  auto found = std::find(draft.pieces.begin(), draft.pieces.end(), piece);
  return found == draft.pieces.end() ? -1 : static_cast<int32_t>(found - draft.pieces.begin());
}

void set_piece(TokenizerDraft* draft, uint64_t id, const std::string& piece) {
  if (id >= core::limits::kVocabulary)
    throw Error(fmt::format("the piece \"{}\" has id {}, expected one below {}", piece, id, core::limits::kVocabulary));
  if (piece.size() > core::limits::kTokenBytes)
    throw Error(fmt::format("piece {} has {} bytes, expected at most {}", id, piece.size(), core::limits::kTokenBytes));
  if (draft->pieces.size() <= id) draft->pieces.resize(id + 1);
  draft->pieces[id] = piece;
}

StageDraft make_stage(const std::string& kind, const std::string& text, const std::string& second, int32_t number, uint32_t flags) {
  StageDraft stage;
  stage.kind = kind;
  stage.text = text;
  stage.second = second;
  stage.number = number;
  stage.flags = flags;
  return stage;
}

bool flag(const TokenizerJson& node, const char* key, bool fallback) {
  auto found = node.find(key);
  return found == node.end() || found->is_null() ? fallback : found->get<bool>();
}

std::string text_or(const TokenizerJson& node, const char* key, const std::string& fallback) {
  auto found = node.find(key);
  return found == node.end() || found->is_null() ? fallback : found->get<std::string>();
}

}  // namespace linnet::convert
