#include "convert/text/paired_pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "convert/readers/file.h"
#include "convert/text/sentence_piece.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

using Type = TokenizerDraft::PieceType;

bool is_language(const std::string& piece) {
  return piece.size() > 4 && piece.rfind(">>", 0) == 0 && piece.compare(piece.size() - 2, 2, "<<") == 0;
}

AddedDraft special(uint32_t id, const std::string& content) {
  AddedDraft token;
  token.id = id;
  token.content = content;
  token.special = true;
  return token;
}

std::vector<std::string> read_list(const std::string& vocabulary) {
  TokenizerDraft list;
  const Json ids = parse_json(vocabulary, "vocab.json");
  if (!ids.is_object()) throw Error("vocab.json is not an object of pieces and their ids");
  for (const auto& [piece, id] : ids.items()) {
    if (!id.is_number_unsigned()) throw Error(fmt::format("vocab.json: the id of \"{}\" is not a whole number", piece));
    set_piece(&list, id.get<uint64_t>(), piece);
  }
  return list.pieces;
}

}  // namespace

TokenizerDraft parse_paired_pieces(const std::string& model, const std::string& vocabulary) {
  TokenizerDraft draft = parse_sentence_piece(model, nullptr);
  if (draft.kind != schema::TokenizerKind::unigram) throw Error("source.spm is not of model type 1 (unigram)");
  if (!draft.added.empty()) throw Error("source.spm has user-defined pieces, which this library does not number anew");
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < draft.pieces.size(); ++i) places.emplace(draft.pieces[i], i);
  const TokenizerDraft own = draft;
  const float least = own.scores.empty() ? 0 : *std::min_element(own.scores.begin(), own.scores.end());

  draft.pieces = read_list(vocabulary);
  draft.types.assign(draft.pieces.size(), Type::unused);
  draft.scores.assign(draft.pieces.size(), least);
  draft.unknown_id = -1;
  int32_t end = -1;
  for (size_t id = 0; id < draft.pieces.size(); ++id) {
    const std::string& piece = draft.pieces[id];
    const bool is_end = piece == "</s>", is_mark = is_end || piece == "<pad>" || is_language(piece);
    if (piece == "<unk>") draft.unknown_id = static_cast<int32_t>(id);
    if (is_end) end = static_cast<int32_t>(id);
    if (is_mark) draft.added.push_back(special(static_cast<uint32_t>(id), piece));
    auto found = places.find(piece);
    if (found == places.end()) continue;
    draft.types[id] = own.types[found->second];
    draft.scores[id] = own.scores[found->second];
    places.erase(found);
  }
  for (const auto& [piece, place] : places)
    if (own.types[place] == Type::normal) throw Error(fmt::format("vocab.json lacks the piece \"{}\", which texts can become", piece));
  if (draft.unknown_id >= 0) draft.types[static_cast<size_t>(draft.unknown_id)] = Type::unknown;
  draft.single.clear();
  draft.pair.clear();
  set_begin_end(-1, end, 0, &draft);
  return draft;
}

}  // namespace linnet::convert
