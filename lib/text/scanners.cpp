#include "text/scanners.h"

namespace linnet::text {
namespace {

struct Named {
  std::string_view name;
  Scanner scan;
};

// G, C and so on: the expressions of these letters elsewhere in the list.
constexpr Named kScanners[] = {
    {"gpt2", scan_gpt2},      // G = 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    {"llama3", scan_llama3},  // C|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+; C in any case
    {"qwen2", scan_qwen2},    // the same with \p{N}
    {"clip", scan_clip},      // 's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
    {"bloom", scan_bloom},    // " ?[^(\s|[.,!?…。，、।۔،])]+"
    {"o200k", scan_o200k},    // words by case, contractions behind them, \p{N}{1,3}, slashes behind marks
    {"tekken", scan_tekken},  // the same without contractions, with \p{N}
    {"deepseek3", scan_deepseek3},            // ASCII marks with letters|...[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
    {"deepseek_cased", scan_deepseek_cased},  // \s?[cased letters]+
    {"deepseek_marks", scan_deepseek_marks},  // \s?[marks of ASCII, CJK and their full-width forms]+
    {"deepseek_ideographs", scan_deepseek_ideographs},    // [一-龥ࠀ-一가-퟿]+
    {"deepseek3_ideographs", scan_deepseek3_ideographs},  // [一-龥぀-ゟ゠-ヿ]+
    {"number", scan_number},                              // \p{N}
    {"numbers", scan_numbers},                            // \p{N}+
    {"numbers_1_3", scan_numbers_1_3},                    // \p{N}{1,3}
    {"three_digits", scan_three_digits},                  // [0-9][0-9][0-9]
    {"line_end", scan_line_end},                          // [\r\n]
    {"spaced_letters", scan_spaced_letters},              // \s?\p{L}+
    {"spaced_punctuation", scan_spaced_punctuation},      // \s?\p{P}+
    {"trailing_spaces", scan_trailing_spaces},            // \s+$
    {"marks_backquote", scan_marks_backquote},            // [\p{P}\$\+<=>\^~\|`]+
    {"marks", scan_marks},                                // [\p{P}\$\+<=>\^~\|]+
    {"words", scan_words},                                // \w+|[^\w\s]+
    {"white_space", scan_white_space},                    // \s
    {"white_space_run", scan_white_space_run},            // \s+
    {"two_spaces", scan_two_spaces},                      // " {2,}"
    {"spaced_words", scan_spaced_words},                  // \u2581*[^\u2581]+|\u2581+
    {"punctuation", scan_punctuation},                    // \p{P} and the symbols of ASCII, one character
};

}  // namespace

Scanner find_scanner(std::string_view name) noexcept {
  for (const Named& named : kScanners)
    if (named.name == name) return named.scan;
  return nullptr;
}

}  // namespace linnet::text
