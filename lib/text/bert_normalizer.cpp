#include "text/normalizer.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

bool is_ideograph(char32_t c) {
  return c >= 0x3400 && ((c >= 0x4E00 && c <= 0x9FFF) || c <= 0x4DBF || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
                         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
                         (c >= 0x2F800 && c <= 0x2FA1F));
}

}  // namespace

Status clean_for_bert(const StageFields&, Stretch* stretch) noexcept {
  const std::string_view text = stretch->text();
  Bytes& out = stretch->rewrite();
  LINNET_TRY(out.reserve(text.size()));
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    const uint16_t found = classes(point.code);
    const bool layout = point.code == '\t' || point.code == '\n' || point.code == '\r';
    if (point.code == 0 || point.code == kReplacement || (!layout && (found & kControl) != 0)) {
      if (out.size() == 0) stretch->lose_begin();
    } else if ((found & kSpace) != 0) {
      LINNET_TRY(out.push(' '));
    } else {
      LINNET_TRY(out.append(text.substr(at, point.length)));
    }
    at += point.length;
  }
  stretch->finish();
  return {};
}

Status space_ideographs(const StageFields&, Stretch* stretch) noexcept {
  const std::string_view text = stretch->text();
  Bytes& out = stretch->rewrite();
  LINNET_TRY(out.reserve(text.size()));
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    const bool spaced = is_ideograph(point.code);
    if (spaced) LINNET_TRY(out.push(' '));
    LINNET_TRY(out.append(text.substr(at, point.length)));
    if (spaced) LINNET_TRY(out.push(' '));
    at += point.length;
  }
  stretch->finish();
  return {};
}

}  // namespace linnet::text
