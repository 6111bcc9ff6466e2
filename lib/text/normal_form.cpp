// Unicode's normal forms. Only stretches with characters that a form may change are taken apart; runs of marks are sorted in linear time,
// however long they are.
#include <utf8proc.h>

#include <algorithm>

#include "text/normalizer.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

constexpr size_t kShortRun = 24;

struct Form {
  utf8proc_option_t options;
  bool compose;
  char32_t first_changed;  // characters before it stay as they are, and combine only with what follows them
};
constexpr Form kC{UTF8PROC_DECOMPOSE, true, 0x300}, kD{UTF8PROC_DECOMPOSE, false, 0xC0};
constexpr Form kKC{static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT), true, 0xA0};
constexpr Form kKD{static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT), false, 0xA0};

int combining(int32_t code) { return utf8proc_get_property(code)->combining_class; }

Status decompose(char32_t code, const Form& form, core::Array<int32_t>* points) {
  constexpr int kMost = 32;  // the longest decomposition has 18 characters
  int32_t parts[kMost];
  int boundary = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<int32_t>(code), parts, kMost, form.options, &boundary);
  if (count < 0 || count > kMost) return points->push(static_cast<int32_t>(code));
  for (utf8proc_ssize_t i = 0; i < count; ++i) LINNET_TRY(points->push(parts[i]));
  return {};
}

// Stable, by class: one count of the classes and two passes.
Status sort_long_run(int32_t* run, size_t count, core::Array<int32_t>* scratch) {
  uint32_t begins[257] = {};
  for (size_t i = 0; i < count; ++i) ++begins[combining(run[i]) + 1];
  for (int c = 0; c < 256; ++c) begins[c + 1] += begins[c];
  LINNET_TRY(scratch->resize(count));
  for (size_t i = 0; i < count; ++i) (*scratch)[begins[combining(run[i])]++] = run[i];
  std::copy(scratch->begin(), scratch->end(), run);
  return {};
}

Status order_marks(core::Array<int32_t>* points) {
  core::Array<int32_t> scratch;
  for (size_t begin = 0, end; begin < points->size(); begin = end) {
    for (end = begin; end < points->size() && combining((*points)[end]) != 0;) ++end;
    int32_t* run = points->data() + begin;
    if (end - begin > kShortRun) {
      LINNET_TRY(sort_long_run(run, end - begin, &scratch));
    } else {
      for (size_t i = 1; i < end - begin; ++i)
        for (size_t k = i; k > 0 && combining(run[k - 1]) > combining(run[k]); --k) std::swap(run[k - 1], run[k]);
    }
    if (end == begin) ++end;
  }
  return {};
}

// `part` begins at a character that nothing before it combines with, and so does what follows it.
Status normalize_part(std::string_view part, const Form& form, core::Array<int32_t>* points, Bytes* out) {
  points->clear();
  for (size_t at = 0; at < part.size();) {
    const Point point = decode(part, at);
    LINNET_TRY(decompose(point.code, form, points));
    at += point.length;
  }
  LINNET_TRY(order_marks(points));
  size_t count = points->size();
  if (form.compose) {
    const auto composed = utf8proc_normalize_utf32(points->data(), static_cast<utf8proc_ssize_t>(count),
                                                   static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    if (composed >= 0) count = std::min(count, static_cast<size_t>(composed));
  }
  LINNET_TRY(out->reserve(count * 4));
  for (size_t i = 0; i < count; ++i) put_point(static_cast<char32_t>((*points)[i]), out);
  return {};
}

Status to_form(const Form& form, Stretch* stretch) {
  const std::string_view text = stretch->text();
  Bytes* out = nullptr;
  size_t done = 0, before = 0;  // text before `done` is written; `before` is the character in front of `at`
  for (size_t at = 0; at < text.size();) {
    Point point = decode(text, at);
    if (point.code < form.first_changed) {
      before = at;
      at += point.length;
      continue;
    }
    if (!out) {
      out = &stretch->rewrite();
      LINNET_TRY(out->reserve(text.size()));
    }
    const size_t begin = std::max(done, before);
    for (at += point.length; at < text.size(); at += point.length)
      if (point = decode(text, at); point.code < form.first_changed) break;
    LINNET_TRY(out->append(text.substr(done, begin - done)));
    LINNET_TRY(normalize_part(text.substr(begin, at - begin), form, &stretch->points(), out));
    done = before = at;
  }
  if (!out) return {};
  LINNET_TRY(out->append(text.substr(done)));
  stretch->finish();
  return {};
}

}  // namespace

Status normal_form_c(const StageFields&, Stretch* stretch) noexcept { return to_form(kC, stretch); }
Status normal_form_d(const StageFields&, Stretch* stretch) noexcept { return to_form(kD, stretch); }
Status normal_form_kc(const StageFields&, Stretch* stretch) noexcept { return to_form(kKC, stretch); }
Status normal_form_kd(const StageFields&, Stretch* stretch) noexcept { return to_form(kKD, stretch); }

}  // namespace linnet::text
