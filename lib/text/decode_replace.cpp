// Decoder stages that change or drop characters of tokens, or of the one text that tokens have been joined to. In the latter a match may
// still be growing at the end: that much is held.
#include <algorithm>

#include "text/decoder.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

Status replace_all(std::string_view text, std::string_view from, std::string_view to, Bytes* out) {
  size_t at = 0;
  for (size_t match; (match = text.find(from, at)) != text.npos; at = match + from.size()) {
    LINNET_TRY(out->append(text.substr(at, match - at)));
    LINNET_TRY(out->append(to));
  }
  return out->append(text.substr(at));
}

// Where the longest end of `text` begins that is a beginning of `match`.
size_t partial_match(std::string_view text, std::string_view match) {
  size_t begin = text.size() - std::min(text.size(), match.size() - 1);
  while (match.substr(0, text.size() - begin) != text.substr(begin)) ++begin;
  return begin;
}

Status replace_joined(const DecoderFields& stage, const DecoderStep& step) {
  Bytes &held = step.state->held, &work = step.state->work;
  LINNET_TRY(held.append(step.in.bytes.view()));
  const std::string_view text = held.view();
  size_t settled = text.size();
  if (!step.last) {
    size_t behind = 0;  // the last whole match
    for (size_t match; (match = text.find(stage.text, behind)) != text.npos;) behind = match + stage.text.size();
    settled = behind + partial_match(text.substr(behind), stage.text);
  }
  LINNET_TRY(replace_all(text.substr(0, settled), stage.text, stage.second, &step.out->bytes));
  work.clear();
  LINNET_TRY(work.append(text.substr(settled)));
  held.swap(work);
  return step.out->bytes.size() > 0 ? step.out->end_token() : Status();
}

uint32_t most_at_start(const DecoderFields& stage) { return static_cast<uint32_t>(stage.number) & 0xFFFF; }
uint32_t most_at_end(const DecoderFields& stage) { return static_cast<uint32_t>(stage.number) >> 16; }

size_t count_start(std::string_view text, std::string_view character, size_t most) {
  size_t count = 0;
  while (count < most && text.substr(count * character.size(), character.size()) == character) ++count;
  return count;
}

size_t count_end(std::string_view text, std::string_view character, size_t most) {
  size_t count = 0;
  while (count < most && (count + 1) * character.size() <= text.size() &&
         text.substr(text.size() - (count + 1) * character.size(), character.size()) == character)
    ++count;
  return count;
}

Status strip_joined(const DecoderFields& stage, const DecoderStep& step) {
  Bytes &held = step.state->held, &work = step.state->work;
  LINNET_TRY(held.append(step.in.bytes.view()));
  std::string_view text = held.view();
  if (!step.state->passed) {
    const size_t count = count_start(text, stage.text, most_at_start(stage) - step.state->count);
    step.state->count += count;
    text.remove_prefix(count * stage.text.size());
    step.state->passed = !text.empty() || step.state->count == most_at_start(stage);
  }
  const size_t end = text.size() - count_end(text, stage.text, most_at_end(stage)) * stage.text.size();
  LINNET_TRY(step.out->bytes.append(text.substr(0, end)));
  work.clear();
  LINNET_TRY(work.append(text.substr(end)));
  held.swap(work);
  return step.out->bytes.size() > 0 ? step.out->end_token() : Status();
}

}  // namespace

Status decode_replace(const DecoderFields& stage, const DecoderStep& step) noexcept {
  if (stage.joined) return replace_joined(stage, step);
  for (size_t i = 0; i < step.in.size(); ++i) {
    LINNET_TRY(replace_all(step.in[i], stage.text, stage.second, &step.out->bytes));
    LINNET_TRY(step.out->end_token());
  }
  return {};
}

Status decode_strip(const DecoderFields& stage, const DecoderStep& step) noexcept {
  if (stage.joined) return strip_joined(stage, step);
  for (size_t i = 0; i < step.in.size(); ++i) {
    std::string_view token = step.in[i];
    token.remove_prefix(count_start(token, stage.text, most_at_start(stage)) * stage.text.size());
    token.remove_suffix(count_end(token, stage.text, most_at_end(stage)) * stage.text.size());
    LINNET_TRY(step.out->bytes.append(token));
    LINNET_TRY(step.out->end_token());
  }
  return {};
}

}  // namespace linnet::text
