#include "convert/text/patterns.h"

#include <fmt/format.h>

#include "convert/checkpoint.h"

namespace linnet::convert {

namespace {

struct Known {
  const char* expression;
  const char* scanner;
};

#define CONTRACTIONS "'s|'t|'re|'ve|'m|'ll|'d"
#define SPACES R"(\s+(?!\S)|\s+)"
#define BY_LINE R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define BY_CASE R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
#define BY_CASE_2 R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
#define BEFORE R"([^\r\n\p{L}\p{N}]?)"
#define SLASHES R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"

constexpr Known kKnown[] = {
    {CONTRACTIONS R"(| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)" SPACES, "gpt2"},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)" SPACES, "gpt2"},
    {CONTRACTIONS R"(| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))", "gpt2"},
    {"(?i:" CONTRACTIONS ")|" BEFORE R"(\p{L}+|\p{N}{1,3})" BY_LINE, "llama3"},
    {R"('(?i:[sdmt]|ll|ve|re)|)" BEFORE R"(\p{L}+|\p{N}{1,3})" BY_LINE, "llama3"},
    {"(?i:" CONTRACTIONS ")|" BEFORE R"(\p{L}+|\p{N})" BY_LINE, "qwen2"},
    {R"('(?i:[sdmt]|ll|ve|re)|)" BEFORE R"(\p{L}+|\p{N})" BY_LINE, "qwen2"},
    {CONTRACTIONS R"(|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)", "clip"},
    {R"(<\|startoftext\|>|<\|endoftext\|>|)" CONTRACTIONS R"(|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)", "clip"},
    {BEFORE BY_CASE "(?i:" CONTRACTIONS ")?|" BEFORE BY_CASE_2 "(?i:" CONTRACTIONS R"()?|\p{N}{1,3})" SLASHES, "o200k"},
    {BEFORE BY_CASE "|" BEFORE BY_CASE_2 R"(|\p{N})" SLASHES, "tekken"},
    {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|)" SPACES,
     "deepseek3"},
    {" ?[^(\\s|[.,!?…。，、।۔،])]+", "bloom"},
    {" ?[^(\\s|.,!?…。，、।۔،)]+", "bloom"},
    {"[一-龥\xE0\xA0\x80-一가-\xED\x9F\xBF]+", "deepseek_ideographs"},
    {"[一-龥぀-ゟ゠-ヿ]+", "deepseek3_ideographs"},
    {R"(\p{N})", "number"},
    {R"([\p{N}])", "number"},
    {R"(\p{N}+)", "numbers"},
    {R"(\p{N}{1,3})", "numbers_1_3"},
    {"[0-9][0-9][0-9]", "three_digits"},
    {R"([\r\n])", "line_end"},
    {R"(\s?\p{L}+)", "spaced_letters"},
    {R"(\s?\p{P}+)", "spaced_punctuation"},
    {R"(\s+$)", "trailing_spaces"},
    {R"([\p{P}\$\+<=>\^~\|`]+)", "marks_backquote"},
    {R"([\p{P}\$\+<=>\^~\|]+)", "marks"},
    {R"(\w+|[^\w\s]+)", "words"},
    {R"(\s)", "white_space"},
    {R"(\s+)", "white_space_run"},
    {R"([\s]+)", "white_space_run"},
    {" {2,}", "two_spaces"},
};

// Line ends as they are written in expressions.
std::string escaped(const std::string& expression) {
  std::string text;
  for (char c : expression) {
    if (c == '\r')
      text += "\\r";
    else if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text;
}

StageDraft split_stage(const std::string& text, text::Behavior behavior, uint32_t flags) {
  StageDraft stage;
  stage.kind = "split";
  stage.text = text;
  stage.number = static_cast<int32_t>(behavior);
  stage.flags = flags;
  return stage;
}

}  // namespace

void set_expression(const std::string& expression, StageDraft* stage) {
  const std::string wanted = escaped(expression);
  for (const Known& known : kKnown)
    if (wanted == known.expression) {
      stage->text = known.scanner;
      stage->flags |= text::kScanner;
      return;
    }
  if (expression.empty() || expression.find_first_of("\\^$.|?*+()[]{}") != expression.npos)
    throw Error(fmt::format("the tokenizer's expression {} is not known to this library", expression));
  stage->text = expression;
}

StageDraft split_at_scanner(const std::string& scanner, text::Behavior behavior, bool invert) {
  return split_stage(scanner, behavior, text::kScanner | (invert ? text::kInvert : 0));
}

StageDraft split_at_literal(const std::string& literal, text::Behavior behavior, bool invert) {
  return split_stage(literal, behavior, invert ? text::kInvert : 0);
}

}  // namespace linnet::convert
