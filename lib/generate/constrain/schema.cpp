#include "generate/constrain/schema.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/schema_compiler.h"

namespace linnet::constrain {
namespace {

constexpr uint32_t kMostReferences = 32;  // one behind the other, without a value in between

constexpr uint64_t kMostWork = 1u << 28;  // comparisons; a second's worth
constexpr uint64_t kLooks = 80;           // for keywords in one schema object

}  // namespace

// "#/properties/name" and so on: where the task at hand came from.
Status SchemaCompiler::refuse(const char* what, const char* why) noexcept {
  core::Array<uint32_t> chain;
  for (uint32_t at = place_; at != 0; at = places_[at].parent) LINNET_TRY(chain.push(at));
  text::Bytes path;
  LINNET_TRY(path.push('#'));
  for (; !chain.empty() && path.size() < 200; chain.pop()) {
    LINNET_TRY(path.push('/'));
    LINNET_TRY(path.append(places_[chain.back()].name.substr(0, 64)));
  }
  LINNET_TRY(path.push('\0'));
  return Status::error(Code::unsupported, "the schema at %s: '%.64s' %s", path.data(), what, why);
}

Status SchemaCompiler::spend(uint64_t work) noexcept {
  spent_ += work;
  if (spent_ <= kMostWork) return {};
  return Status::error(Code::invalid_argument, "the schema is too large: its parts refer to each other too often");
}

Status SchemaCompiler::wrong(const char* keyword, const char* expected) noexcept {
  const Status place = refuse(keyword, expected);
  return Status::error(Code::invalid_argument, "%s", place.message());
}

// "#", "#/a/b": by names, with ~0, ~1 and %25 as pointers write them; indices into arrays too.
Result<const JsonValue*> SchemaCompiler::find_reference(const JsonValue& reference) noexcept {
  std::string_view rest = reference.text();
  if (reference.kind() != JsonKind::string) return wrong("$ref", "is no string");
  if (rest.substr(0, 1) != "#") return refuse("$ref", "leads out of the schema");
  rest.remove_prefix(1);
  const JsonValue* at = &root_;
  while (!rest.empty()) {
    if (rest[0] != '/') return refuse("$ref", "is no path like #/$defs/name");
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find('/'), rest.size());
    text::Bytes name;
    for (size_t i = 0; i < end; ++i) {
      char c = rest[i];
      if (c == '~' && i + 1 < end) c = rest[++i] == '1' ? '/' : '~';
      LINNET_TRY(name.push(c));
    }
    rest.remove_prefix(end);
    LINNET_TRY(spend(uint64_t{at->size()} + 1));
    const JsonValue* found = at->kind() == JsonKind::object ? at->find(name.view()) : nullptr;
    if (at->kind() == JsonKind::array) {
      uint32_t index = 0, i = 0;
      for (char c : name.view()) index = c >= '0' && c <= '9' && index < 100000 ? index * 10 + static_cast<uint32_t>(c - '0') : 1000000;
      for (const JsonValue& item : *at)
        if (i++ == index && name.size() > 0) found = &item;
    }
    if (!found) return wrong("$ref", "leads to nothing");
    at = found;
  }
  return at;
}

Status SchemaCompiler::add_part(const JsonValue& schema, Parts* parts, uint32_t depth) noexcept {
  if (schema.kind() == JsonKind::boolean) {
    parts->never = parts->never || !schema.boolean();
    return {};
  }
  if (schema.kind() != JsonKind::object) return wrong("schema", "is expected to be an object, true or false");
  if (depth > kMostReferences) return refuse("$ref", "leads in a circle, or over too many others");
  for (const Parts::Part& part : *parts)
    if (part.schema == &schema) {
      parts->never = parts->never || part.chosen != 0;  // a branch that leads back to its choice has no value of its own
      return {};
    }
  LINNET_TRY(spend(kLooks * (uint64_t{schema.size()} + 1)));
  LINNET_TRY(check_keywords(schema));
  if (parts->count == kMostParts) return refuse("allOf", "and '$ref' bring together more than 24 schemas");
  parts->items[parts->count++] = {&schema, 0};
  if (const JsonValue* reference = schema.find("$ref")) {
    LINNET_ASSIGN(const JsonValue* target, find_reference(*reference));
    LINNET_TRY(add_part(*target, parts, depth + 1));
  }
  if (const JsonValue* all = schema.find("allOf")) {
    if (all->kind() != JsonKind::array) return wrong("allOf", "is expected to be a list of schemas");
    for (const JsonValue& part : *all) LINNET_TRY(add_part(part, parts, depth + 1));
  }
  return {};
}

// The rule for parts: known, or a new task.
Result<Expr> SchemaCompiler::rule_of(const Parts& parts, std::string_view name) noexcept {
  if (parts.never) return kNever;
  uint64_t hash = parts.count;
  for (const Parts::Part& part : parts) {
    hash = (hash ^ reinterpret_cast<uintptr_t>(part.schema) ^ static_cast<uint64_t>(part.chosen) << 56) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  const size_t mask = slots_.size() - 1;
  size_t i = static_cast<size_t>(hash) & mask;
  for (; slots_[i] != UINT32_MAX; i = (i + 1) & mask) {
    const Task& task = tasks_[slots_[i]];
    if (std::equal(task.parts.begin(), task.parts.end(), parts.begin(), parts.end(),
                   [](const Parts::Part& a, const Parts::Part& b) { return a.schema == b.schema && a.chosen == b.chosen; }))
      return grammar_.reference(task.rule);
  }
  const uint32_t rule = grammar_.add_rule(name);
  if (grammar_.failed()) return kEmpty;
  slots_[i] = static_cast<uint32_t>(tasks_.size());
  LINNET_TRY(tasks_.push({parts, rule, place_}));
  return grammar_.reference(rule);
}

// What is said from now on concerns `name` within the place at hand; `left` takes the place to come back to.
Status SchemaCompiler::enter(std::string_view name, uint32_t* left) noexcept {
  *left = place_;
  LINNET_TRY(places_.push({place_, name}));
  place_ = static_cast<uint32_t>(places_.size() - 1);
  return {};
}

Status SchemaCompiler::run() noexcept {
  LINNET_TRY(slots_.resize(4 * core::limits::kGrammarRules));
  std::fill(slots_.begin(), slots_.end(), UINT32_MAX);
  LINNET_TRY(places_.push({0, "#"}));
  Parts all;
  LINNET_TRY(add_part(root_, &all));
  LINNET_ASSIGN(const Expr start, rule_of(all, "root"));
  const uint32_t root = grammar_.add_rule("the schema");
  grammar_.define(root, start);
  grammar_.set_root(root);
  for (size_t i = 0; i < tasks_.size() && !grammar_.failed(); ++i) {
    const Parts parts = tasks_[i].parts;
    const uint32_t rule = tasks_[i].rule;
    place_ = tasks_[i].place;
    LINNET_ASSIGN(const Expr made, body(parts));
    grammar_.define(rule, made);
  }
  return {};
}

Result<Expr> SchemaCompiler::choose(const Parts& parts, size_t index, const JsonValue& branches, uint8_t bit) noexcept {
  if (branches.kind() != JsonKind::array || branches.size() == 0) return wrong("anyOf", "or 'oneOf' is expected to be a list of schemas");
  core::Array<Expr> ways;
  for (const JsonValue& branch : branches) {
    const std::string_view name = bit == 1 ? "anyOf" : "oneOf";
    Parts with = parts;
    uint32_t left = 0;
    LINNET_TRY(enter(name, &left));
    with.items[index].chosen |= bit;
    LINNET_TRY(add_part(branch, &with));
    LINNET_ASSIGN(const Expr way, rule_of(with, name));
    place_ = left;
    LINNET_TRY(ways.push(way));
  }
  return grammar_.choice({ways.data(), ways.size()});
}

Result<Expr> SchemaCompiler::body(const Parts& parts) noexcept {
  for (uint32_t i = 0; i < parts.count; ++i) {
    const Parts::Part& part = parts.items[i];
    if (const JsonValue* any = part.schema->find("anyOf"); any && (part.chosen & 1) == 0) return choose(parts, i, *any, 1);
    if (const JsonValue* one = part.schema->find("oneOf"); one && (part.chosen & 2) == 0) {
      if (one->kind() == JsonKind::array) LINNET_TRY(check_apart(*one));
      return choose(parts, i, *one, 2);
    }
  }
  Expr expr = kNever;
  LINNET_ASSIGN(const bool constant, constants(parts, &expr));
  if (constant) return expr;
  LINNET_ASSIGN(const uint32_t types, this->types(parts));
  if (types == kEveryType && says_only_types(parts)) return any_value();
  Expr ways[6];
  size_t count = 0;
  if (types & kNull) ways[count++] = grammar_.literal("null");
  if (types & kBoolean) ways[count++] = grammar_.choice({grammar_.literal("true"), grammar_.literal("false")});
  if (types & (kNumber | kInteger)) {
    LINNET_ASSIGN(ways[count++], number(parts, (types & kNumber) == 0));
  }
  if (types & kString) {
    LINNET_ASSIGN(ways[count++], string(parts));
  }
  if (types & kArray) {
    LINNET_ASSIGN(ways[count++], array(parts));
  }
  if (types & kObject) {
    LINNET_ASSIGN(ways[count++], object(parts));
  }
  return grammar_.choice(std::span<const Expr>(ways, count));
}

Result<Grammar> grammar_of_schema(std::string_view schema) noexcept {
  LINNET_ASSIGN(const core::Json json, core::Json::parse(schema));
  Grammar grammar;
  SchemaCompiler compiler(json.root(), &grammar);
  LINNET_TRY(compiler.run());
  if (grammar.failed()) return Status::error(grammar.status().code(), "%s", grammar.status().message());
  return grammar;
}

}  // namespace linnet::constrain
