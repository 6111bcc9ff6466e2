#include "generate/constrain/utf8_ranges.h"

#include <algorithm>

#include "text/unicode.h"

namespace linnet::constrain {

bool Utf8Sequences::next(Utf8Sequence* sequence) noexcept {
  if (next_ > last_) return false;
  const char32_t first = next_;
  char32_t end = first < 0x80 ? 0x7F : first < 0x800 ? 0x7FF : first < 0x10000 ? 0xFFFF : 0x10FFFF;  // of characters as long as the first
  end = std::min(end, last_);
  // Trailing bytes, 6 bits each, are free together or not at all: from the last one, as long as the piece begins at their beginning and
  // they fit before the end.
  for (char32_t bits = 6; first >= 0x80 && bits <= 18; bits += 6) {
    const char32_t mask = (char32_t{1} << bits) - 1;
    if ((first & ~mask) == (end & ~mask)) break;  // they differ in these bits alone
    if ((first & mask) != 0) {
      end = first | mask;
      break;
    }
    if ((end & mask) != mask) end = (end & ~mask) - 1;
  }
  char low[4], high[4];
  sequence->length = text::encode(first, low);
  text::encode(end, high);
  for (uint32_t i = 0; i < sequence->length; ++i) {
    sequence->low[i] = static_cast<uint8_t>(low[i]);
    sequence->high[i] = static_cast<uint8_t>(high[i]);
  }
  next_ = end + 1;
  return true;
}

}  // namespace linnet::constrain
