// Decoder stages from pieces that stand for bytes.
#include "text/byte_alphabet.h"
#include "text/decoder.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

// Appends the bytes of `token`; false, with nothing appended, when a character of it is not in the alphabet.
Result<bool> append_alphabet(std::string_view token, Bytes* out) {
  const size_t before = out->size();
  LINNET_TRY(out->reserve(token.size()));
  for (size_t at = 0; at < token.size();) {
    const Point point = decode(token, at);
    const int32_t byte = point.valid ? byte_of(point.code) : -1;
    if (byte < 0) {
      out->shorten(before);
      return false;
    }
    out->put(static_cast<char>(byte));
    at += point.length;
  }
  return true;
}

int32_t digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte of a piece <0xNN>, -1 for other pieces.
int32_t byte_piece(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  const int32_t high = digit(token[3]), low = digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// A run of bytes is text as a whole or not at all; where `keep_valid`, what of it is valid stays.
Status append_run(std::string_view run, bool keep_valid, Bytes* out) {
  bool valid = true;
  for (size_t at = 0; valid && at < run.size();) {
    const Point point = decode(run, at);
    valid = point.valid;
    at += point.length;
  }
  if (valid) return out->append(run);
  for (size_t at = 0; at < run.size();) {
    const Point point = decode(run, at);
    if (keep_valid && point.valid) {
      LINNET_TRY(out->append(run.substr(at, point.length)));
      at += point.length;
    } else {
      LINNET_TRY(out->append(kReplacementBytes));
      ++at;
    }
  }
  return {};
}

Status end_run(const DecoderFields& stage, const DecoderStep& step) {
  if (step.state->held.size() == 0) return {};
  LINNET_TRY(append_run(step.state->held.view(), (stage.flags & 1) != 0, &step.out->bytes));
  step.state->held.clear();
  return step.out->end_token();
}

}  // namespace

Status decode_byte_level(const DecoderFields&, const DecoderStep& step) noexcept {
  Bytes& bytes = step.state->work;
  bytes.clear();
  for (size_t i = 0; i < step.in.size(); ++i) {
    LINNET_ASSIGN(const bool in_alphabet, append_alphabet(step.in[i], &bytes));
    if (!in_alphabet) LINNET_TRY(bytes.append(step.in[i]));
  }
  LINNET_TRY(append_valid(bytes.view(), step.last, &step.state->held, &step.out->bytes));
  return step.out->bytes.size() > 0 ? step.out->end_token() : Status();
}

Status decode_byte_fallback(const DecoderFields& stage, const DecoderStep& step) noexcept {
  for (size_t i = 0; i < step.in.size(); ++i) {
    if (const int32_t byte = byte_piece(step.in[i]); byte >= 0) {
      LINNET_TRY(step.state->held.push(static_cast<char>(byte)));
      continue;
    }
    LINNET_TRY(end_run(stage, step));
    LINNET_TRY(step.out->bytes.append(step.in[i]));
    LINNET_TRY(step.out->end_token());
  }
  return step.last ? end_run(stage, step) : Status();
}

}  // namespace linnet::text
