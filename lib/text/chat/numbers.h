// Numbers to text and back, in the reference's form.
#pragma once

#include "text/chat/sink.h"

namespace linnet::text::chat {

/// 0.1, 2.0, 1e-05, 1e+16, inf: the shortest digits that give the number back.
Status print_real(double real, Sink* sink, bool data) noexcept;
/// Whole digits behind the point; `digits` at most 64.
Status print_fixed(double real, int digits, Sink* sink, bool data) noexcept;
/// int(text, base) and float(text): false where they would fail.
bool integer_from(std::string_view text, int base, int64_t* value) noexcept;
bool real_from(std::string_view text, double* value) noexcept;
/// False when the number is not finite or its whole part does not fit.
bool integer_from(double real, int64_t* value) noexcept;
/// To the nearest multiple of 10^-digits, ties to even; |digits| at most 64.
double rounded(double real, int digits) noexcept;

}  // namespace linnet::text::chat
