// Strings: their length, a pattern, or a format, which is a pattern of ours.
#include <algorithm>

#include "core/try.h"
#include "generate/constrain/pattern.h"
#include "generate/constrain/schema_compiler.h"

namespace linnet::constrain {
namespace {

struct Format {
  std::string_view name, pattern;
};
// Parts of what the formats allow, such that every reader takes them: days that every year has, seconds without leaps, hosts of short
// labels.
#define LINNET_DATE \
  "[12]\\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))"
#define LINNET_TIME "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{3}(?:\\d{3})?)?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
#define LINNET_LABEL "[a-z0-9]{1,24}(?:-[a-z0-9]{1,12}){0,3}"
#define LINNET_BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
constexpr Format kFormats[] = {
    {"date", "^" LINNET_DATE "$"},
    {"time", "^" LINNET_TIME "$"},
    {"date-time", "^" LINNET_DATE "T" LINNET_TIME "$"},
    {"duration", "^P(?:\\d{1,4}[YMWD]|T\\d{1,4}[HMS])$"},
    {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
    {"email", "^[a-z0-9]{1,24}(?:[._+-][a-z0-9]{1,12}){0,3}@(?:" LINNET_LABEL "\\.){1,3}[a-z]{2,12}$"},
    {"hostname", "^(?:" LINNET_LABEL "\\.){0,3}[a-z]{1,24}$"},
    {"ipv4", "^" LINNET_BYTE "(?:\\." LINNET_BYTE "){3}$"},
    {"ipv6", "^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}$"},
    {"uri", "^https?://(?:" LINNET_LABEL "\\.){1,3}[a-z]{2,12}(?:/[A-Za-z0-9._~-]{0,64}){0,8}$"},
};
#undef LINNET_DATE
#undef LINNET_TIME
#undef LINNET_LABEL
#undef LINNET_BYTE

}  // namespace

Result<Expr> SchemaCompiler::string(const Parts& parts) noexcept {
  PatternLimits limits;
  LINNET_ASSIGN(limits.min, count(parts, "minLength", true, 0));
  LINNET_ASSIGN(limits.max, count(parts, "maxLength", false, kUnbounded));
  if (limits.min > limits.max) return kNever;
  std::string_view pattern, name;
  for (const Parts::Part& part : parts) {
    const JsonValue *own = part.schema->find("pattern"), *format = part.schema->find("format");
    if ((own && own->kind() != JsonKind::string) || (format && format->kind() != JsonKind::string))
      return wrong("pattern", "or 'format' is expected to be a string");
    std::string_view found = own ? own->text() : std::string_view();
    if (own && format) return refuse("pattern", "together with 'format' is not supported");
    if (format) {
      const Format* known =
          std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.name == format->text(); });
      if (known == std::end(kFormats)) return refuse("format", "of this name is not supported");
      found = known->pattern;
    }
    if (!own && !format) continue;
    if (name.data() && found != pattern) return refuse("pattern", "or 'format' given twice is not supported");
    pattern = found;
    name = "given";
  }
  const Expr quote = grammar_.literal("\"");
  if (name.data()) {
    LINNET_ASSIGN(const Expr inside, expression_of_pattern(pattern, limits, &grammar_));
    return grammar_.named("string", grammar_.sequence({quote, inside, quote}));
  }
  if (limits.min == 0 && limits.max == kUnbounded) return any_string();
  return grammar_.named("string", grammar_.sequence({quote, grammar_.repeat(string_character(), limits.min, limits.max), quote}));
}

}  // namespace linnet::constrain
