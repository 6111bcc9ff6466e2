// Decoder stages that know where words begin and end.
#include <algorithm>

#include "text/decoder.h"

namespace linnet::text {
namespace {

struct Replacement {
  std::string_view from, to;
};
// In this order, each over the whole token.
constexpr Replacement kCleanUp[] = {
    {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
    {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

// No replacement is longer than what it replaces.
void replace_in_place(const Replacement& replacement, char* text, size_t* size) {
  const std::string_view whole(text, *size);
  size_t at = whole.find(replacement.from), out = at;
  if (at == whole.npos) return;
  while (at < *size) {
    if (whole.substr(at, replacement.from.size()) == replacement.from) {
      for (char c : replacement.to) text[out++] = c;
      at += replacement.from.size();
    } else {
      text[out++] = text[at++];
    }
  }
  *size = out;
}

Status append_cleaned(std::string_view token, Bytes* work, Bytes* out) {
  if (token.find(' ') == token.npos) return out->append(token);
  work->clear();
  LINNET_TRY(work->append(token));
  size_t size = work->size();
  for (const Replacement& replacement : kCleanUp) replace_in_place(replacement, work->data(), &size);
  return out->append(work->view().substr(0, size));
}

}  // namespace

Status decode_word_piece(const DecoderFields& stage, const DecoderStep& step) noexcept {
  Bytes &work = step.state->work, &word = step.state->held;
  for (size_t i = 0; i < step.in.size(); ++i) {
    std::string_view token = step.in[i];
    word.clear();
    if (step.state->passed) {
      if (token.substr(0, stage.text.size()) == stage.text)
        token.remove_prefix(stage.text.size());
      else
        LINNET_TRY(word.push(' '));
    }
    step.state->passed = true;
    LINNET_TRY(word.append(token));
    if ((stage.flags & 1) != 0)
      LINNET_TRY(append_cleaned(word.view(), &work, &step.out->bytes));
    else
      LINNET_TRY(step.out->bytes.append(word.view()));
    LINNET_TRY(step.out->end_token());
  }
  return {};
}

Status decode_metaspace(const DecoderFields& stage, const DecoderStep& step) noexcept {
  for (size_t i = 0; i < step.in.size(); ++i) {
    std::string_view token = step.in[i];
    const std::string_view space = stage.text;
    const bool first = !step.state->passed, drops = first && (stage.flags & 3) == 0;
    step.state->passed = true;
    if (first && (stage.flags & 2) != 0 && token.substr(0, space.size()) == space) token.remove_prefix(space.size());
    size_t at = 0;
    for (size_t match; (match = token.find(space, at)) != token.npos; at = match + space.size()) {
      LINNET_TRY(step.out->bytes.append(token.substr(at, match - at)));
      if (!drops) LINNET_TRY(step.out->bytes.push(' '));
    }
    LINNET_TRY(step.out->bytes.append(token.substr(at)));
    LINNET_TRY(step.out->end_token());
  }
  return {};
}

// A suffix becomes a space unless it stands in the last token: from the first one on, that is held until a token follows.
Status decode_bpe(const DecoderFields& stage, const DecoderStep& step) noexcept {
  const auto release = [&](std::string_view space) -> Status {
    const std::string_view held = step.state->held.view();
    if (held.empty()) return {};
    size_t at = 0;
    for (size_t match; (match = held.find(stage.text, at)) != held.npos; at = match + stage.text.size()) {
      LINNET_TRY(step.out->bytes.append(held.substr(at, match - at)));
      LINNET_TRY(step.out->bytes.append(space));
    }
    LINNET_TRY(step.out->bytes.append(held.substr(at)));
    step.state->held.clear();
    return step.out->end_token();
  };
  for (size_t i = 0; i < step.in.size(); ++i) {
    LINNET_TRY(release(" "));
    const std::string_view token = step.in[i];
    const size_t suffix = std::min(token.find(stage.text), token.size());
    LINNET_TRY(step.out->bytes.append(token.substr(0, suffix)));
    LINNET_TRY(step.out->end_token());
    LINNET_TRY(step.state->held.append(token.substr(suffix)));
  }
  return step.last ? release("") : Status();
}

}  // namespace linnet::text
