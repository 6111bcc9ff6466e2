// JSON as texts: what values, strings and numbers look like when nothing more is said about them.
#include "core/try.h"
#include "generate/constrain/schema_compiler.h"
#include "text/unicode.h"

namespace linnet::constrain {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// The letter of a short escape, or 0.
char short_escape(char32_t code) {
  switch (code) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

bool needs_escape(char32_t code) { return code < 0x20 || code == '"' || code == '\\'; }

Status append_character(char32_t code, text::Bytes* out) {
  LINNET_TRY(out->reserve(6));
  if (!needs_escape(code)) {
    text::put_point(code, out);
    return {};
  }
  out->put('\\');
  if (const char letter = short_escape(code)) {
    out->put(letter);
    return {};
  }
  for (char c : {'u', '0', '0', kHex[code >> 4], kHex[code & 15]}) out->put(c);
  return {};
}

}  // namespace

Status append_escaped(std::string_view text, text::Bytes* out) noexcept {
  for (size_t at = 0; at < text.size();) {
    const text::Point point = text::decode(text, at);
    LINNET_TRY(append_character(point.code, out));
    at += point.length;
  }
  return {};
}

Expr in_string(Grammar& grammar, std::span<const CharacterRange> ranges, bool inverted) noexcept {
  // Those that stand for themselves, and the others one by one.
  const Expr all = grammar.set(ranges, inverted);
  if (grammar.failed() || all == kNever) return all;
  core::Array<CharacterRange> plain;
  core::Array<Expr> ways;
  text::Bytes escaped;
  for (size_t i = 0; i < grammar.ranges(grammar.at(all)).size(); ++i) {
    CharacterRange range = grammar.ranges(grammar.at(all))[i];
    for (char32_t code = range.first; code <= range.last && code <= '\\'; ++code) {
      if (!needs_escape(code)) continue;
      if (code > range.first) grammar.check(plain.push({range.first, code - 1}));
      range.first = code + 1;
      escaped.clear();
      grammar.check(append_character(code, &escaped));
      grammar.check(ways.push(grammar.literal(escaped.view())));
    }
    if (range.first <= range.last) grammar.check(plain.push(range));
  }
  if (!plain.empty()) grammar.check(ways.push(grammar.set({plain.data(), plain.size()})));
  return grammar.choice({ways.data(), ways.size()});
}

bool same_value(const JsonValue& a, const JsonValue& b) noexcept {
  const bool numbers =
      (a.kind() == JsonKind::integer || a.kind() == JsonKind::number) && (b.kind() == JsonKind::integer || b.kind() == JsonKind::number);
  if (numbers) return a.kind() == b.kind() && a.kind() == JsonKind::integer ? a.integer() == b.integer() : a.number() == b.number();
  if (a.kind() != b.kind() || a.size() != b.size()) return false;
  switch (a.kind()) {
    case JsonKind::boolean:
      return a.boolean() == b.boolean();
    case JsonKind::string:
      return a.text() == b.text();
    case JsonKind::array: {
      JsonValue::Iterator other = b.begin();
      for (const JsonValue& item : a) {
        if (!same_value(item, *other)) return false;
        ++other;
      }
      return true;
    }
    case JsonKind::object:
      for (const JsonValue& member : a) {
        const JsonValue* other = b.find(member.key());
        if (!other || !same_value(member, *other)) return false;
      }
      return true;
    default:
      return true;
  }
}

Expr SchemaCompiler::space() noexcept { return grammar_.optional(grammar_.literal(" ")); }

Expr SchemaCompiler::string_character() noexcept {
  if (character_ != kEmpty) return character_;
  const CharacterRange marks[] = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  const CharacterRange letters[] = {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}};
  const CharacterRange hex[] = {{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
  const CharacterRange hex_but_d[] = {{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}};
  const CharacterRange d[] = {{'D', 'D'}, {'d', 'd'}};
  const CharacterRange low[] = {{'0', '7'}};
  const Expr digit = grammar_.set(hex);
  // Halves of surrogate pairs are left out.
  const Expr code = grammar_.choice({grammar_.sequence({grammar_.set(hex_but_d), digit, digit, digit}),
                                     grammar_.sequence({grammar_.set(d), grammar_.set(low), digit, digit})});
  const Expr escape = grammar_.choice({grammar_.set(letters), grammar_.sequence({grammar_.literal("u"), code})});
  character_ = grammar_.choice({grammar_.set(marks, true), grammar_.sequence({grammar_.literal("\\"), escape})});
  return character_;
}

Expr SchemaCompiler::any_string() noexcept {
  if (string_ == kEmpty) {
    const Expr quote = grammar_.literal("\"");
    string_ = grammar_.named("string", grammar_.sequence({quote, grammar_.repeat(string_character(), 0, kUnbounded), quote}));
  }
  return string_;
}

// At most 16 digits before the point and 16 behind it, exponents of two digits: no reader takes it for infinite.
Expr SchemaCompiler::any_number() noexcept {
  if (number_ != kEmpty) return number_;
  const CharacterRange all[] = {{'0', '9'}}, first[] = {{'1', '9'}}, marks[] = {{'E', 'E'}, {'e', 'e'}}, signs[] = {{'+', '+'}, {'-', '-'}};
  const Expr digit = grammar_.set(all);
  const Expr whole = grammar_.choice({grammar_.literal("0"), grammar_.sequence({grammar_.set(first), grammar_.repeat(digit, 0, 15)})});
  const Expr fraction = grammar_.sequence({grammar_.literal("."), grammar_.repeat(digit, 1, 16)});
  const Expr exponent = grammar_.sequence({grammar_.set(marks), grammar_.optional(grammar_.set(signs)), grammar_.repeat(digit, 1, 2)});
  number_ = grammar_.named("number", grammar_.sequence({grammar_.optional(grammar_.literal("-")), whole, grammar_.optional(fraction),
                                                        grammar_.optional(exponent)}));
  return number_;
}

Expr SchemaCompiler::any_value() noexcept {
  if (any_value_ != kEmpty) return any_value_;
  const uint32_t rule = grammar_.add_rule("value");
  any_value_ = grammar_.reference(rule);
  const Expr comma = grammar_.sequence({grammar_.literal(","), space()});
  const Expr pair = grammar_.sequence({any_string(), grammar_.literal(":"), space(), any_value_});
  const auto list = [&](const char* open, Expr item, const char* close) {
    const Expr more = grammar_.repeat(grammar_.sequence({comma, item}), 0, kUnbounded);
    return grammar_.sequence({grammar_.literal(open), grammar_.optional(grammar_.sequence({item, more})), grammar_.literal(close)});
  };
  grammar_.define(rule, grammar_.choice({list("{", pair, "}"), list("[", any_value_, "]"), any_string(), any_number(),
                                         grammar_.literal("true"), grammar_.literal("false"), grammar_.literal("null")}));
  return any_value_;
}

Expr SchemaCompiler::key(std::string_view name) noexcept {
  text::Bytes text;
  grammar_.check(text.push('"'));
  grammar_.check(append_escaped(name, &text));
  grammar_.check(text.append("\":"));
  return grammar_.sequence({grammar_.literal(text.view()), space()});
}

Status SchemaCompiler::append_literal(const JsonValue& value, text::Bytes* out) noexcept {
  bool first = true;
  switch (value.kind()) {
    case JsonKind::null:
      return out->append("null");
    case JsonKind::boolean:
      return out->append(value.boolean() ? "true" : "false");
    case JsonKind::integer:
    case JsonKind::number:
      return out->append(value.text());
    case JsonKind::string:
      LINNET_TRY(out->push('"'));
      LINNET_TRY(append_escaped(value.text(), out));
      return out->push('"');
    default:
      break;
  }
  const bool object = value.kind() == JsonKind::object;
  LINNET_TRY(out->push(object ? '{' : '['));
  for (const JsonValue& item : value) {
    if (!first) LINNET_TRY(out->push(','));
    first = false;
    if (object) {
      LINNET_TRY(out->push('"'));
      LINNET_TRY(append_escaped(item.key(), out));
      LINNET_TRY(out->append("\":"));
    }
    LINNET_TRY(append_literal(item, out));
  }
  return out->push(object ? '}' : ']');
}

}  // namespace linnet::constrain
