// The keywords of schemas that are known, the types that they speak of, and those that are counts.
#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/schema_compiler.h"

namespace linnet::constrain {
namespace {

constexpr std::string_view kIgnored[] = {"$schema",     "$id",        "id",          "$comment",        "$defs",
                                         "definitions", "title",      "description", "default",         "examples",
                                         "example",     "deprecated", "readOnly",    "writeOnly",       "$anchor",
                                         "nullable",    "$ref",       "allOf",       "contentEncoding", "contentMediaType"};
constexpr std::string_view kKnown[] = {"type", "enum", "const", "anyOf", "oneOf"};

struct TypeKeyword {
  std::string_view name;
  uint32_t types;
};
constexpr TypeKeyword kOfTypes[] = {
    {"properties", kObject},       {"required", kObject},       {"additionalProperties", kObject},
    {"minProperties", kObject},    {"maxProperties", kObject},  {"items", kArray},
    {"prefixItems", kArray},       {"additionalItems", kArray}, {"minItems", kArray},
    {"maxItems", kArray},          {"uniqueItems", kArray},     {"minLength", kString},
    {"maxLength", kString},        {"pattern", kString},        {"format", kString},
    {"minimum", kNumber},          {"maximum", kNumber},        {"exclusiveMinimum", kNumber},
    {"exclusiveMaximum", kNumber}, {"multipleOf", kNumber},
};

struct TypeName {
  std::string_view name;
  uint32_t types;
};
constexpr TypeName kTypes[] = {{"null", kNull},     {"boolean", kBoolean}, {"integer", kInteger}, {"number", kNumber | kInteger},
                               {"string", kString}, {"array", kArray},     {"object", kObject}};

template <size_t size>
bool is_one_of(const std::string_view (&names)[size], std::string_view name) {
  return std::find(names, names + size, name) != names + size;
}

Result<uint32_t> type_bits(const JsonValue& name) {
  for (const TypeName& type : kTypes)
    if (name.kind() == JsonKind::string && type.name == name.text()) return type.types;
  return Status::error(Code::invalid_argument, "the schema names the type '%.*s', which JSON does not have",
                       static_cast<int>(std::min<size_t>(name.text().size(), 64)), name.text().data() ? name.text().data() : "");
}

}  // namespace

Status SchemaCompiler::check_keywords(const JsonValue& schema) noexcept {
  for (const JsonValue& member : schema) {
    const std::string_view name = member.key();
    const bool typed = std::any_of(std::begin(kOfTypes), std::end(kOfTypes), [&](const TypeKeyword& known) { return known.name == name; });
    if (typed || is_one_of(kKnown, name) || is_one_of(kIgnored, name) || name.substr(0, 2) == "x-") continue;
    text::Bytes shown;
    LINNET_TRY(shown.append(name.substr(0, 64)));
    LINNET_TRY(shown.push('\0'));
    return refuse(shown.data(), "is not supported");
  }
  return {};
}

Result<uint32_t> SchemaCompiler::types(const Parts& parts) noexcept {
  uint32_t all = kEveryType, hinted = 0;
  bool given = false;
  for (const Parts::Part& part : parts) {
    if (const JsonValue* type = part.schema->find("type")) {
      uint32_t bits = 0;
      if (type->kind() == JsonKind::array) {
        for (const JsonValue& name : *type) {
          LINNET_ASSIGN(const uint32_t more, type_bits(name));
          bits |= more;
        }
      } else {
        LINNET_ASSIGN(bits, type_bits(*type));
      }
      const JsonValue* nullable = part.schema->find("nullable");
      if (nullable && nullable->boolean()) bits |= kNull;
      all &= bits;
      given = true;
    }
    for (const TypeKeyword& keyword : kOfTypes)
      if (part.schema->find(keyword.name)) hinted |= keyword.types == kNumber ? kNumber | kInteger : keyword.types;
  }
  // A schema that speaks of properties alone accepts every number; what is meant is an object, and that is a part of it.
  return given || hinted == 0 ? all : hinted;
}

bool SchemaCompiler::says_only_types(const Parts& parts) noexcept {
  for (const Parts::Part& part : parts)
    for (const TypeKeyword& keyword : kOfTypes)
      if (part.schema->find(keyword.name)) return false;
  return true;
}

Result<uint32_t> SchemaCompiler::count(const Parts& parts, const char* keyword, bool largest, uint32_t none) noexcept {
  bool found = false;
  uint32_t result = none;
  for (const Parts::Part& part : parts) {
    const JsonValue* value = part.schema->find(keyword);
    if (!value) continue;
    const double number = value->number();
    if ((value->kind() != JsonKind::integer && value->kind() != JsonKind::number) || number < 0 ||
        (number < 1e9 && number != static_cast<double>(static_cast<uint32_t>(number))))
      return wrong(keyword, "is expected to be a whole number, at least 0");
    if (number > core::limits::kGrammarRepeat && largest) return refuse(keyword, "is more than 1000000");
    const uint32_t bounded = number > core::limits::kGrammarRepeat ? core::limits::kGrammarRepeat : static_cast<uint32_t>(number);
    result = !found ? bounded : largest ? std::max(result, bounded) : std::min(result, bounded);
    found = true;
  }
  return result;
}

}  // namespace linnet::constrain
