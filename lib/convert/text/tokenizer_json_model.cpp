#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

void read_vocabulary(const TokenizerJson& vocabulary, TokenizerDraft* draft) {
  for (const auto& [piece, id] : vocabulary.items()) set_piece(draft, id.get<uint64_t>(), piece);
}

void read_unknown(const TokenizerJson& model, TokenizerDraft* draft) {
  const std::string unknown = text_or(model, "unk_token", "");
  if (!unknown.empty()) draft->unknown_id = id_of(*draft, unknown);
}

std::pair<std::string, std::string> read_merge(const TokenizerJson& merge) {
  if (merge.is_array()) return {merge.at(0).get<std::string>(), merge.at(1).get<std::string>()};
  const std::string text = merge.get<std::string>();
  const size_t space = text.find(' ');
  if (space == text.npos) throw Error(fmt::format("the merge \"{}\" is not two pieces", text));
  return {text.substr(0, space), text.substr(space + 1)};
}

void read_bpe(const TokenizerJson& model, TokenizerDraft* draft) {
  if (auto dropout = model.find("dropout"); dropout != model.end() && dropout->is_number() && dropout->get<double>() != 0)
    throw Error("the tokenizer drops merges at random (\"dropout\"), which this library does not do");
  read_vocabulary(model.at("vocab"), draft);
  read_unknown(model, draft);
  draft->continuing_prefix = text_or(model, "continuing_subword_prefix", "");
  draft->end_of_word_suffix = text_or(model, "end_of_word_suffix", "");
  draft->fuse_unknown = flag(model, "fuse_unk", false);
  draft->byte_fallback = flag(model, "byte_fallback", false);
  draft->ignore_merges = flag(model, "ignore_merges", false);
  draft->kind = draft->byte_fallback ? schema::TokenizerKind::sentence_piece_bpe : schema::TokenizerKind::byte_level_bpe;
  for (const TokenizerJson& merge : model.at("merges")) draft->merges.push_back(read_merge(merge));
}

void read_word_piece(const TokenizerJson& model, TokenizerDraft* draft) {
  draft->kind = schema::TokenizerKind::word_piece;
  read_vocabulary(model.at("vocab"), draft);
  read_unknown(model, draft);
  draft->continuing_prefix = text_or(model, "continuing_subword_prefix", "##");
  if (auto most = model.find("max_input_chars_per_word"); most != model.end()) draft->max_word_characters = most->get<uint32_t>();
}

void read_word_level(const TokenizerJson& model, TokenizerDraft* draft) {
  draft->kind = schema::TokenizerKind::word_level;
  read_vocabulary(model.at("vocab"), draft);
  read_unknown(model, draft);
}

void read_unigram(const TokenizerJson& model, TokenizerDraft* draft) {
  draft->kind = schema::TokenizerKind::unigram;
  for (const TokenizerJson& entry : model.at("vocab")) {
    set_piece(draft, draft->pieces.size(), entry.at(0).get<std::string>());
    draft->scores.push_back(static_cast<float>(entry.at(1).get<double>()));
  }
  if (auto unknown = model.find("unk_id"); unknown != model.end() && !unknown->is_null()) draft->unknown_id = unknown->get<int32_t>();
  draft->byte_fallback = flag(model, "byte_fallback", false);
}

// Old files leave the type out.
std::string type_of(const TokenizerJson& model) {
  if (auto type = model.find("type"); type != model.end()) return type->get<std::string>();
  if (model.contains("merges")) return "BPE";
  if (model.at("vocab").is_array()) return "Unigram";
  return model.contains("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

}  // namespace

void read_model_json(const TokenizerJson& node, TokenizerDraft* draft) {
  if (!node.is_object()) throw Error("there is no \"model\"");
  const std::string type = type_of(node);
  if (type == "BPE") return read_bpe(node, draft);
  if (type == "WordPiece") return read_word_piece(node, draft);
  if (type == "Unigram") return read_unigram(node, draft);
  if (type == "WordLevel") return read_word_level(node, draft);
  throw Error(fmt::format("the model {} is not known to this library", type));
}

}  // namespace linnet::convert
