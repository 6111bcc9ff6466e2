// Objects: properties in the order of the schema, those that are not required may be left out, other ones behind them.
#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/schema_compiler.h"
#include "text/unicode.h"

namespace linnet::constrain {
namespace {

constexpr size_t kMostProperties = 4096;

bool is_escaped(char32_t code) { return code < 0x20 || code == '"' || code == '\\'; }

// The characters that names go on with behind a common beginning.
Status next_characters(std::span<const std::string_view> names, size_t at, core::Array<CharacterRange>* out) {
  for (std::string_view name : names) {
    if (name.size() <= at) continue;
    const char32_t code = text::decode(name, at).code;
    if (out->empty() || out->back().first != code) LINNET_TRY(out->push({code, code}));
  }
  return {};
}

}  // namespace

Status SchemaCompiler::add_name(core::Array<Property>* all, std::string_view name, bool required) noexcept {
  for (Property& known : *all)
    if (known.name == name) {
      known.required = known.required || required;
      return {};
    }
  if (all->size() == kMostProperties)
    return Status::error(Code::invalid_argument, "the schema has an object of more than %zu properties", kMostProperties);
  return all->push({name, required});
}

// A name, without quotes and escapes, that is none of `names`: one rule for each beginning that some of them have.
Result<Expr> SchemaCompiler::other_key(std::span<const std::string_view> given) noexcept {
  struct Beginning {
    uint32_t rule;
    size_t first, last, at;
  };
  const CharacterRange marks[] = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  const Expr rest = grammar_.named("name", grammar_.repeat(grammar_.set(marks, true), 0, kUnbounded));
  core::Array<std::string_view> names;
  core::Array<Beginning> tasks;
  for (std::string_view name : given) LINNET_TRY(names.push(name));
  std::sort(names.begin(), names.end());
  const uint32_t root = grammar_.add_rule("other name");
  LINNET_TRY(tasks.push({root, 0, names.size(), 0}));
  while (!tasks.empty() && !grammar_.failed()) {
    const Beginning task = tasks.back();
    tasks.pop();
    const std::span<const std::string_view> here(names.data() + task.first, task.last - task.first);
    core::Array<CharacterRange> next;
    LINNET_TRY(next_characters(here, task.at, &next));
    core::Array<Expr> ways;
    if (here.empty() || here[0].size() > task.at) LINNET_TRY(ways.push(kEmpty));  // names are sorted: the shortest is first
    size_t begin = task.first;
    while (begin < task.last && names[begin].size() <= task.at) ++begin;
    for (const CharacterRange& character : next) {
      const std::string_view name = names[begin];
      const uint32_t length = text::decode(name, task.at).length;
      size_t end = begin;
      while (end < task.last && text::decode(names[end], task.at).code == character.first) ++end;
      const Beginning longer = {0, begin, end, task.at + length};
      begin = end;
      if (is_escaped(character.first)) continue;  // written as an escape, it is in no other name
      LINNET_TRY(tasks.push(longer));
      tasks.back().rule = grammar_.add_rule("other name");
      LINNET_TRY(ways.push(grammar_.sequence({grammar_.set({&character, 1}), grammar_.reference(tasks.back().rule)})));
    }
    for (const CharacterRange& mark : marks) LINNET_TRY(next.push(mark));
    LINNET_TRY(ways.push(grammar_.sequence({grammar_.set({next.data(), next.size()}, true), rest})));
    grammar_.define(task.rule, grammar_.choice({ways.data(), ways.size()}));
  }
  return grammar_.reference(root);
}

Result<Expr> SchemaCompiler::object(const Parts& parts) noexcept {
  core::Array<Property> properties;
  bool additional_given = false, closed = false;
  for (const Parts::Part& part : parts) {
    if (const JsonValue* own = part.schema->find("properties")) {
      if (own->kind() != JsonKind::object) return wrong("properties", "is expected to be an object");
      for (const JsonValue& property : *own) LINNET_TRY(add_name(&properties, property.key(), false));
    }
    if (const JsonValue* additional = part.schema->find("additionalProperties")) {
      additional_given = true;
      closed = closed || (additional->kind() == JsonKind::boolean && !additional->boolean());
    }
  }
  const bool listed = !properties.empty();
  for (const Parts::Part& part : parts)
    if (const JsonValue* required = part.schema->find("required")) {
      if (required->kind() != JsonKind::array) return wrong("required", "is expected to be a list of names");
      for (const JsonValue& name : *required) {
        if (name.kind() != JsonKind::string) return wrong("required", "is expected to be a list of names");
        LINNET_TRY(add_name(&properties, name.text(), true));
      }
    }
  // Without a word about them, properties besides those that are listed are not made up.
  const bool open = !closed && (additional_given || !listed);
  return members(parts, {properties.data(), properties.size()}, open);
}

// What all parts say of one property.
Result<Expr> SchemaCompiler::property_value(const Parts& parts, std::string_view name, bool listed) noexcept {
  Parts of;
  uint32_t left = 0;
  LINNET_TRY(enter(name, &left));
  for (const Parts::Part& part : parts) {
    const JsonValue* properties = part.schema->find("properties");
    const JsonValue* own = listed && properties ? properties->find(name) : nullptr;
    if (!own) own = part.schema->find("additionalProperties");
    if (own) LINNET_TRY(add_part(*own, &of));
  }
  Result<Expr> rule = rule_of(of, name);
  place_ = left;
  return rule;
}

Result<Expr> SchemaCompiler::members(const Parts& parts, std::span<const Property> properties, bool open) noexcept {
  LINNET_ASSIGN(const uint32_t least, count(parts, "minProperties", true, 0));
  LINNET_ASSIGN(const uint32_t most, count(parts, "maxProperties", false, kUnbounded));
  size_t required = 0;
  for (const Property& property : properties) required += property.required;
  // Other names may come twice, and then count once.
  if (least > 1 && least > required && (open || least > properties.size()))
    return refuse("minProperties", "of more than 1 is not supported here");
  if (least > required && least > 1) return refuse("minProperties", "that some of several properties fulfil is not supported");
  const bool counted = most != kUnbounded && (open || most < properties.size());
  if (counted && (!properties.empty() || most < required))
    return refuse("maxProperties", "below the number of possible properties is not supported");

  const Expr comma = grammar_.sequence({grammar_.literal(","), space()});
  Expr more = kNever;  // from here on at least one
  Expr rest = kEmpty;  // a comma and more, or nothing
  if (open) {
    core::Array<std::string_view> names;
    for (const Property& property : properties) LINNET_TRY(names.push(property.name));
    LINNET_ASSIGN(const Expr other, other_key({names.data(), names.size()}));
    LINNET_ASSIGN(const Expr value, property_value(parts, "additionalProperties", false));
    const Expr quote = grammar_.literal("\"");
    const Expr pair = grammar_.named("member", grammar_.sequence({quote, other, grammar_.literal("\":"), space(), value}));
    const Expr next = grammar_.sequence({comma, pair});
    rest = grammar_.repeat(next, 0, kUnbounded);
    more = grammar_.sequence({pair, counted ? grammar_.repeat(next, 0, most == 0 ? 0 : most - 1) : rest});
    if (most == 0) more = kNever;
  }
  bool needed = false;  // something required is still to come
  for (size_t i = properties.size(); i-- > 0;) {
    const Property& property = properties[i];
    LINNET_ASSIGN(const Expr value, property_value(parts, property.name, true));
    const Expr with = grammar_.sequence({key(property.name), value, rest});
    more = grammar_.named(property.name, property.required ? with : grammar_.choice({with, more}));
    needed = needed || property.required;
    const Expr next = grammar_.sequence({comma, more});
    rest = grammar_.named("members", needed ? next : grammar_.optional(next));
  }
  const bool may_be_empty = required == 0 && least == 0;
  return grammar_.sequence({grammar_.literal("{"), may_be_empty ? grammar_.optional(more) : more, grammar_.literal("}")});
}

}  // namespace linnet::constrain
