#include "convert/text/sentence_piece.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "convert/text/patterns.h"
#include "convert/text/protobuf.h"
#include "convert/text/tokenizer_config.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

using Type = TokenizerDraft::PieceType;

struct Proto {
  uint64_t model_type = 1;  // 1 unigram, 2 byte pairs
  bool byte_fallback = false, space_as_suffix = false, escape_spaces = true;
  int32_t unknown = 0, begin = 1, end = 2;
  std::string unknown_surface = " \xE2\x81\x87 ";
  SentencePieceRules rules;
};

void read_piece(std::string_view message, TokenizerDraft* draft) {
  ProtobufReader reader(message);
  std::string piece;
  float score = 0;
  uint64_t type = Type::normal;
  for (ProtobufReader::Field field; reader.next(&field);) {
    if (field.number == 1)
      piece = field.bytes;
    else if (field.number == 2)
      score = field.number32();
    else if (field.number == 3)
      type = field.whole;
  }
  if (type < Type::normal || type > Type::byte)
    throw Error(fmt::format("tokenizer.model: piece {} is of type {}, expected 1 to 6", draft->pieces.size(), type));
  set_piece(draft, draft->pieces.size(), piece);
  draft->scores.push_back(score);
  draft->types.push_back(static_cast<uint8_t>(type));
}

void read_trainer(std::string_view message, Proto* proto) {
  ProtobufReader reader(message);
  for (ProtobufReader::Field field; reader.next(&field);) switch (field.number) {
      case 3:
        proto->model_type = field.whole;
        break;
      case 24:
        proto->space_as_suffix = field.whole != 0;
        break;
      case 35:
        proto->byte_fallback = field.whole != 0;
        break;
      case 40:
        proto->unknown = static_cast<int32_t>(field.whole);
        break;
      case 41:
        proto->begin = static_cast<int32_t>(field.whole);
        break;
      case 42:
        proto->end = static_cast<int32_t>(field.whole);
        break;
      case 44:
        proto->unknown_surface = field.bytes;
        break;
      default:
        break;
    }
}

void read_normalizer(std::string_view message, Proto* proto) {
  ProtobufReader reader(message);
  for (ProtobufReader::Field field; reader.next(&field);) switch (field.number) {
      case 2:
        proto->rules.character_map = field.bytes;
        break;
      case 3:
        proto->rules.add_dummy_prefix = field.whole != 0;
        break;
      case 4:
        proto->rules.remove_extra_spaces = field.whole != 0;
        break;
      case 5:
        proto->escape_spaces = field.whole != 0;
        break;
      default:
        break;
    }
}

void check_supported(const Proto& proto, const TokenizerDraft& draft, const std::string& name) {
  // Classes that number the pieces as the file does. Others shift them, or change the text before.
  constexpr const char* kClasses[] = {"", "LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "T5Tokenizer", "PreTrainedTokenizer"};
  if (std::find(std::begin(kClasses), std::end(kClasses), name) == std::end(kClasses))
    throw Error(fmt::format("tokenizer.model of a {}: this library reads that class from tokenizer.json only", name));
  if (proto.model_type != 1 && proto.model_type != 2)
    throw Error(fmt::format("tokenizer.model is of model type {}, expected 1 (unigram) or 2 (BPE)", proto.model_type));
  if (proto.space_as_suffix) throw Error("tokenizer.model treats white space as a suffix, which this library does not do");
  if (!proto.escape_spaces) throw Error("tokenizer.model keeps spaces as they are (escape_whitespaces), which this library does not do");
  const auto count = [&](Type type) { return std::count(draft.types.begin(), draft.types.end(), type); };
  if (proto.model_type == 2 && count(Type::unused) > 0)
    throw Error(fmt::format("tokenizer.model has {} unused pieces, which this library does not take apart", count(Type::unused)));
  if (count(Type::user_defined) > 0 && (proto.rules.add_dummy_prefix || proto.rules.remove_extra_spaces))
    throw Error("tokenizer.model has user-defined pieces and changes the spaces around them, which this library does not do");
}

void set_special(const Proto& proto, const Json& config, TokenizerDraft* draft) {
  const auto size = static_cast<int32_t>(draft->pieces.size());
  const auto existing = [&](int32_t id) { return id >= 0 && id < size ? id : -1; };
  draft->unknown_id = existing(proto.unknown);
  const bool is_bpe = proto.model_type == 2;
  set_begin_end(setting(config, "add_bos_token", is_bpe) ? existing(proto.begin) : -1,
                setting(config, "add_eos_token", !is_bpe) ? existing(proto.end) : -1, is_bpe ? 1 : 0, draft);
  for (int32_t id = 0; id < size; ++id)
    if (draft->types[id] == Type::user_defined) {
      AddedDraft token;
      token.id = static_cast<uint32_t>(id);
      token.content = draft->pieces[id];
      token.normalized = true;
      draft->added.push_back(token);
    }
}

// Beside a tokenizer_config.json the file is one of the Transformers library: special tokens are found in text, and written out as they
// are.
void set_stages_of_library(const Proto& proto, const Json& config, TokenizerDraft* draft) {
  add_listed_tokens(config, draft);
  for (const auto& [key, usual] : {std::pair("bos_token", "<s>"), {"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}})
    add_special_token(special_text(config, key, usual), false, draft);
  if (proto.model_type == 1) {
    draft->decoder = {make_stage("metaspace", "▁"), make_stage("byte_fallback")};
    return;
  }
  draft->decoder = {make_stage("replace", "▁", " "), make_stage("byte_fallback"), make_stage("fuse")};
  if (proto.rules.add_dummy_prefix) draft->decoder.push_back(make_stage("strip", " ", "", 1));
}

void set_stages_of_sentence_piece(const Proto& proto, TokenizerDraft* draft) {
  if (draft->unknown_id >= 0) draft->decoder.push_back(make_stage("replace", draft->pieces[draft->unknown_id], proto.unknown_surface));
  draft->decoder.push_back(make_stage("metaspace", "▁", "", 0, proto.rules.add_dummy_prefix || proto.rules.remove_extra_spaces ? 2 : 1));
  draft->decoder.push_back(make_stage("byte_fallback", "", "", 0, 1));
}

}  // namespace

void add_sentence_piece_stages(const SentencePieceRules& rules, TokenizerDraft* draft) {
  if (!rules.character_map.empty()) {
    StageDraft stage = make_stage("precompiled", "", "", 0, 1);
    stage.bytes.assign(rules.character_map.begin(), rules.character_map.end());
    draft->normalizer.push_back(stage);
  }
  if (rules.remove_extra_spaces) {
    draft->normalizer.push_back(make_stage("strip", "", "", 0, 1 | 2 | 4));
    draft->normalizer.push_back(make_stage("replace", "two_spaces", " ", 0, text::kScanner));
  }
  if (rules.add_dummy_prefix) draft->normalizer.push_back(make_stage("prepend", "▁"));
  draft->normalizer.push_back(make_stage("replace", " ", "▁"));
}

void set_begin_end(int32_t begin, int32_t end, uint8_t second_type, TokenizerDraft* draft) {
  for (int8_t sequence = 0; sequence < 2; ++sequence) {
    const uint8_t type = sequence == 0 ? 0 : second_type;
    if (begin >= 0) draft->pair.push_back({begin, -1, type});
    draft->pair.push_back({-1, sequence, type});
    if (end >= 0) draft->pair.push_back({end, -1, type});
    if (sequence == 0) draft->single = draft->pair;
  }
}

TokenizerDraft parse_sentence_piece(const std::string& bytes, const Json& config) {
  TokenizerDraft draft;
  Proto proto;
  ProtobufReader reader(bytes);
  for (ProtobufReader::Field field; reader.next(&field);) {
    if (field.number == 1)
      read_piece(field.bytes, &draft);
    else if (field.number == 2)
      read_trainer(field.bytes, &proto);
    else if (field.number == 3)
      read_normalizer(field.bytes, &proto);
  }
  if (draft.pieces.empty()) throw Error("tokenizer.model has no pieces");
  check_supported(proto, draft, tokenizer_class(config));
  draft.kind = proto.model_type == 2 ? schema::TokenizerKind::sentence_piece_bpe : schema::TokenizerKind::unigram;
  draft.byte_fallback = proto.byte_fallback;
  draft.fuse_unknown = true;
  draft.text_matches_control = false;
  add_sentence_piece_stages(proto.rules, &draft);
  set_special(proto, config, &draft);
  if (config.is_object())
    set_stages_of_library(proto, config, &draft);
  else
    set_stages_of_sentence_piece(proto, &draft);
  return draft;
}

}  // namespace linnet::convert
