#include "text/decoder.h"

#include "core/limits.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

struct Kind {
  std::string_view name;
  bool joins;     // its tokens become one
  bool has_text;  // which must not be empty
  DecoderRun run;
};
constexpr Kind kKinds[] = {
    {"join", false, false, decode_join},
    {"fuse", true, false, decode_fuse},
    {"byte_level", true, false, decode_byte_level},
    {"byte_fallback", false, false, decode_byte_fallback},
    {"replace", false, true, decode_replace},
    {"strip", false, true, decode_strip},
    {"word_piece", false, false, decode_word_piece},
    {"metaspace", false, true, decode_metaspace},
    {"bpe", false, true, decode_bpe},
};
constexpr size_t kMostGrowth = 1 << 28;  // bytes that one call of pass may write in one stage

bool may_go_on(std::string_view rest) {  // whether more bytes could make these a character
  const auto lead = static_cast<uint8_t>(rest[0]);
  if (lead < 0xC2 || lead > 0xF4) return false;
  const Point point = decode(rest, 0);
  return !point.valid && point.length == rest.size();
}

}  // namespace

Status read_decoder(const Stages* tables, core::Array<DecoderStage>* stages) noexcept {
  bool joined = false;
  for (uint32_t i = 0; tables && i < tables->size(); ++i) {
    const schema::Stage& table = *tables->Get(i);
    const Kind* found = nullptr;
    for (const Kind& kind : kKinds)
      if (kind.name == std::string_view(table.kind()->c_str(), table.kind()->size())) found = &kind;
    if (!found)
      return Status::error(Code::unsupported, "decoder stage %u is '%.64s', which this build does not have", i, table.kind()->c_str());
    DecoderStage stage;
    static_cast<StageFields&>(stage) = read_fields(table);
    if (found->has_text && stage.text.empty())
      return Status::error(Code::corrupt, "decoder stage %u, '%.64s', has no text", i, table.kind()->c_str());
    stage.joined = joined;
    stage.run = found->run;
    joined = joined || found->joins;
    LINNET_TRY(stages->push(stage));
  }
  return {};
}

Status append_valid(std::string_view bytes, bool last, Bytes* held, Bytes* out) noexcept {
  char joined[8];
  size_t kept = held->size();
  std::memcpy(joined, held->data() ? held->data() : joined, kept);
  held->clear();
  while (kept > 0) {  // what is held goes on, byte by byte, until it is a character or cannot become one
    const std::string_view begun(joined, kept);
    const Point point = decode(begun, 0);
    if (!point.valid && may_go_on(begun)) {
      if (bytes.empty()) {
        if (!last) return held->append(begun);
        return out->append(kReplacementBytes);
      }
      joined[kept++] = bytes[0];
      bytes.remove_prefix(1);
      continue;
    }
    LINNET_TRY(out->append(point.valid ? begun.substr(0, point.length) : kReplacementBytes));
    kept -= point.length;
    std::memmove(joined, joined + point.length, kept);
  }
  size_t valid = 0;
  for (size_t at = 0; at < bytes.size();) {
    const Point point = decode(bytes, at);
    if (point.valid) {
      at += point.length;
      continue;
    }
    LINNET_TRY(out->append(bytes.substr(valid, at - valid)));
    const std::string_view rest = bytes.substr(at);
    if (!last && may_go_on(rest)) return held->append(rest);
    LINNET_TRY(out->append(kReplacementBytes));
    at += point.length;
    valid = at;
  }
  return out->append(bytes.substr(valid));
}

Status Decoding::add(std::string_view token) noexcept {
  LINNET_TRY(lists_[0].bytes.append(token));
  return lists_[0].end_token();
}

Status Decoding::pass(bool last, Bytes* text) noexcept {
  LINNET_TRY(states_.resize(stages_.size()));
  for (TokenList& list : lists_) list.bytes.set_limit(kMostGrowth);
  TokenList *in = &lists_[0], *out = &lists_[1];
  for (size_t i = 0; i < stages_.size(); ++i) {
    out->clear();
    LINNET_TRY(stages_[i].run(stages_[i], {*in, out, &states_[i], last}));
    std::swap(in, out);
  }
  Status done = append_valid(in->bytes.view(), last, &held_, text);
  for (TokenList& list : lists_) list.clear();
  return done;
}

Status decode_join(const DecoderFields& stage, const DecoderStep& step) noexcept {
  for (size_t i = 0; i < step.in.size(); ++i) {
    if (step.state->passed) LINNET_TRY(step.out->bytes.append(stage.text));
    step.state->passed = true;
    LINNET_TRY(step.out->bytes.append(step.in[i]));
    LINNET_TRY(step.out->end_token());
  }
  return {};
}

// Joining costs nothing here: the stages that follow know that their tokens are parts of one.
Status decode_fuse(const DecoderFields&, const DecoderStep& step) noexcept {
  LINNET_TRY(step.out->bytes.append(step.in.bytes.view()));
  return step.in.bytes.size() > 0 ? step.out->end_token() : Status();
}

}  // namespace linnet::text
