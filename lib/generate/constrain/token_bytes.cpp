#include "generate/constrain/token_bytes.h"

#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace linnet::constrain {
namespace {

using text::Bytes;
using text::DecoderStage;

struct Refused {
  text::DecoderRun run;
  const char* name;
};
constexpr Refused kRefused[] = {
    {text::decode_join, "join"},
    {text::decode_word_piece, "word_piece"},
    {text::decode_bpe, "bpe"},
};

Status refuse(const char* name) {
  return Status::error(Code::unsupported, "the tokenizer's decoder has the stage '%s', with which constrained output is not possible",
                       name);
}

bool is_valid(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const text::Point point = text::decode(bytes, at);
    if (!point.valid) return false;
    at += point.length;
  }
  return true;
}

// Every character by itself: `text` may be joined to anything without a match across the seam being possible.
bool is_one_character(std::string_view text) { return !text.empty() && text::decode(text, 0).length == text.size(); }

Status replace(std::string_view from, std::string_view to, Bytes* bytes) {
  Bytes out;
  const std::string_view in = bytes->view();
  size_t at = 0;
  for (size_t match; (match = in.find(from, at)) != in.npos; at = match + from.size()) {
    LINNET_TRY(out.append({in.data() + at, match - at}));
    LINNET_TRY(out.append(to));
  }
  LINNET_TRY(out.append({in.data() + at, in.size() - at}));
  bytes->swap(out);
  return {};
}

// Characters of the alphabet become their bytes, as they are: together with their neighbours they may become characters.
Status from_alphabet(Bytes* bytes) {
  Bytes out;
  const std::string_view in = bytes->view();
  for (size_t at = 0; at < in.size();) {
    const text::Point point = text::decode(in, at);
    const int32_t byte = point.valid ? text::byte_of(point.code) : -1;
    if (byte < 0) return {};
    LINNET_TRY(out.push(static_cast<char>(byte)));
    at += point.length;
  }
  bytes->swap(out);
  return {};
}

// One stage for one token by itself, through the decoder's own code: its state says that the text has begun.
Status run_alone(const DecoderStage& stage, Bytes* bytes) {
  text::TokenList in, out;
  text::DecoderState state;
  state.passed = true;
  LINNET_TRY(in.bytes.append(bytes->view()));
  LINNET_TRY(in.end_token());
  LINNET_TRY(stage.run(stage, {in, &out, &state, false}));
  bytes->clear();
  LINNET_TRY(bytes->append(out.bytes.view()));
  return bytes->append(state.held.view());  // a byte piece is held back
}

}  // namespace

Status check_decoder(const Tokenizer::Impl& tokenizer) noexcept {
  bool bytes = false;
  for (const DecoderStage& stage : tokenizer.decoder) {
    for (const Refused& refused : kRefused)
      if (stage.run == refused.run) return refuse(refused.name);
    const bool strips = stage.run == text::decode_strip, replaces = stage.run == text::decode_replace;
    if (strips && (!stage.joined || static_cast<uint32_t>(stage.number) >> 16 != 0)) return refuse("strip");
    if (replaces && (bytes || (stage.joined && !is_one_character(stage.text)))) return refuse("replace");
    if (stage.run == text::decode_metaspace && bytes) return refuse("metaspace");
    if (stage.run == text::decode_byte_level && (bytes || stage.joined)) return refuse("byte_level");
    if (stage.run == text::decode_byte_fallback && stage.joined) return refuse("byte_fallback");
    bytes = bytes || stage.run == text::decode_byte_level || stage.run == text::decode_byte_fallback;
  }
  return {};
}

Status token_bytes(const Tokenizer::Impl& tokenizer, int32_t id, Bytes* bytes) noexcept {
  bytes->clear();
  if (tokenizer.is_special(id)) return {};
  const bool in_vocabulary = id >= 0 && static_cast<size_t>(id) < tokenizer.vocabulary.size();
  if (in_vocabulary && !tokenizer.added.find(id)) {
    const text::PieceType type = tokenizer.vocabulary.type(id);
    if (type == text::PieceType::unknown || type == text::PieceType::unused || id == tokenizer.model.unknown_id) return {};
  }
  LINNET_TRY(bytes->append(tokenizer.token(id)));
  bool whole = true;  // the token is characters, not bytes
  for (const DecoderStage& stage : tokenizer.decoder) {
    // Stripping concerns the beginning of a text alone; fusing changes no byte.
    if (stage.run == text::decode_strip || stage.run == text::decode_fuse || bytes->size() == 0) continue;
    if (stage.joined && stage.run == text::decode_replace) {
      LINNET_TRY(replace(stage.text, stage.second, bytes));
      continue;
    }
    if (stage.run == text::decode_byte_level) {
      LINNET_TRY(from_alphabet(bytes));
      whole = false;
      continue;
    }
    const bool may_be_byte = stage.run == text::decode_byte_fallback && bytes->size() == 6;
    LINNET_TRY(run_alone(stage, bytes));
    if (may_be_byte && bytes->size() == 1) whole = false;
  }
  if (whole && !is_valid(bytes->view())) bytes->clear();
  return {};
}

}  // namespace linnet::constrain
