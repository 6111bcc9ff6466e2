#include "text/normalizer.h"

#include "text/unicode.h"

namespace linnet::text {
namespace {

constexpr StageKind<NormalizerRun> kKinds[] = {
    {"nfc", false, nullptr, normal_form_c},           {"nfd", false, nullptr, normal_form_d},
    {"nfkc", false, nullptr, normal_form_kc},         {"nfkd", false, nullptr, normal_form_kd},
    {"lowercase", false, nullptr, lower_text},        {"strip_accents", false, nullptr, strip_accents},
    {"strip", false, nullptr, strip_spaces},          {"replace", true, nullptr, replace_matches},
    {"prepend", false, nullptr, prepend_text},        {"precompiled", false, check_precompiled, map_precompiled},
    {"bert_clean", false, nullptr, clean_for_bert},   {"bert_ideographs", false, nullptr, space_ideographs},
    {"lowercase_input", false, nullptr, lower_input},
};

}  // namespace

Status Normalizer::create(const Stages* tables) noexcept {
  LINNET_TRY(read_stages("normalizer", tables, kKinds, &stages_));
  for (size_t i = 0; i < stages_.size(); ++i) {
    if (stages_[i].run != lower_input) continue;
    if (i != input_stages_)
      return Status::error(Code::corrupt,
                           "normalizer stage %zu lowers the whole input, but stands behind a stage that does not see all of it", i);
    ++input_stages_;
  }
  return {};
}

Status Normalizer::run(size_t begin, size_t end, Stretch* stretch) const noexcept {
  for (size_t i = begin; i < end; ++i) LINNET_TRY(stages_[i].run(stages_[i], stretch));
  return {};
}

Status lower_text(const StageFields& stage, Stretch* stretch) noexcept {
  const bool by_context = (stage.flags & 1) != 0;
  const std::string_view text = stretch->text();
  Bytes& out = stretch->rewrite();
  LINNET_TRY(out.reserve(text.size()));
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    char32_t lowered[2];
    const uint32_t count = lower(point.code, lowered);
    if (by_context && point.code == kSigma && is_final_sigma(text, at)) lowered[0] = kFinalSigma;
    at += point.length;
    LINNET_TRY(out.reserve(8));
    for (uint32_t i = 0; i < count; ++i) put_point(lowered[i], &out);
  }
  stretch->finish();
  return {};
}

Status lower_input(const StageFields& stage, Stretch* input) noexcept { return lower_text(stage, input); }

Status strip_accents(const StageFields& stage, Stretch* stretch) noexcept {
  const std::string_view text = stretch->text();
  const uint16_t dropped = (stage.flags & 1) != 0 ? kNonSpacing : kMark;
  Bytes& out = stretch->rewrite();
  LINNET_TRY(out.reserve(text.size()));
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    if ((classes(point.code) & dropped) == 0)
      LINNET_TRY(out.append(text.substr(at, point.length)));
    else if (out.size() == 0)
      stretch->lose_begin();
    at += point.length;
  }
  stretch->finish();
  return {};
}

Status strip_spaces(const StageFields& stage, Stretch* stretch) noexcept {
  const std::string_view text = stretch->text();
  const auto is_stripped = [&](char32_t code) { return (stage.flags & 4) != 0 ? code == ' ' : (classes(code) & kSpace) != 0; };
  size_t begin = 0, end = text.size();
  while ((stage.flags & 1) != 0 && begin < end) {
    const Point point = decode(text, begin);
    if (!is_stripped(point.code)) break;
    begin += point.length;
  }
  while ((stage.flags & 2) != 0 && end > begin) {
    const size_t last = previous(text, end);
    if (last < begin || !is_stripped(decode(text, last).code)) break;
    end = last;
  }
  if (begin > 0) stretch->lose_begin();
  stretch->cut(begin, end);
  return {};
}

Status replace_matches(const StageFields& stage, Stretch* stretch) noexcept {
  const std::string_view text = stretch->text();
  Span match;
  if (!stage.pattern.find(text, 0, &match)) return {};
  Bytes& out = stretch->rewrite();
  size_t at = 0;
  do {
    LINNET_TRY(out.append(text.substr(at, match.begin - at)));
    LINNET_TRY(out.append(stage.second));
    at = match.end;
    if (out.size() == 0) stretch->lose_begin();
  } while (stage.pattern.find(text, at, &match));
  LINNET_TRY(out.append(text.substr(at)));
  stretch->finish();
  return {};
}

Status prepend_text(const StageFields& stage, Stretch* stretch) noexcept {
  const std::string_view text = stretch->text();
  if (text.empty()) return {};
  Bytes& out = stretch->rewrite();
  LINNET_TRY(out.append(stage.text));
  LINNET_TRY(out.append(text));
  stretch->finish();
  return {};
}

}  // namespace linnet::text
