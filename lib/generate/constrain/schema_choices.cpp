// Values that are listed, and branches of which no value fits two.
#include "core/try.h"
#include "generate/constrain/schema_compiler.h"

namespace linnet::constrain {
namespace {

constexpr std::string_view kBeside[] = {"type",     "enum",      "const",    "title",   "description", "default",
                                        "examples", "example",   "$comment", "$schema", "nullable",    "deprecated",
                                        "readOnly", "writeOnly", "$ref",     "allOf",   "anyOf",       "oneOf",
                                        "$defs",    "$id",       "id",       "$anchor", "definitions"};

uint32_t type_of(const JsonValue& value) {
  switch (value.kind()) {
    case JsonKind::null:
      return kNull;
    case JsonKind::boolean:
      return kBoolean;
    case JsonKind::integer:
      return kInteger;
    case JsonKind::number:
      return kNumber;
    case JsonKind::string:
      return kString;
    case JsonKind::array:
      return kArray;
    default:
      return kObject;
  }
}

bool lists(const JsonValue& schema, const JsonValue& value) {
  if (const JsonValue* constant = schema.find("const"); constant && !same_value(*constant, value)) return false;
  const JsonValue* all = schema.find("enum");
  if (!all) return true;
  for (const JsonValue& item : *all)
    if (same_value(item, value)) return true;
  return false;
}

}  // namespace

// Whether parts list their values, and those that all of them have.
Result<bool> SchemaCompiler::constants(const Parts& parts, Expr* expr) noexcept {
  const JsonValue *list = nullptr, *single = nullptr;
  for (const Parts::Part& part : parts) {
    if (const JsonValue* constant = part.schema->find("const")) single = constant;
    if (const JsonValue* all = part.schema->find("enum")) {
      if (all->kind() != JsonKind::array) return wrong("enum", "is expected to be a list of values");
      list = all;
    }
  }
  if (!list && !single) return false;
  for (const Parts::Part& part : parts)
    for (const JsonValue& member : part.schema[0]) {
      bool beside = member.key().substr(0, 2) == "x-";
      for (std::string_view name : kBeside) beside = beside || name == member.key();
      if (!beside) return refuse("enum", "or 'const' beside keywords other than 'type' is not supported");
    }
  LINNET_ASSIGN(const uint32_t types, this->types(parts));
  core::Array<Expr> ways;
  text::Bytes text;
  uint64_t comparisons = 1;
  for (const Parts::Part& part : parts)
    if (const JsonValue* all = part.schema->find("enum"); all && all != list) comparisons += all->size();
  LINNET_TRY(spend(comparisons * (list ? uint64_t{list->size()} + 1 : 1)));
  const auto add = [&](const JsonValue& value) -> Status {
    // 1.0 is an integer, too, whatever way it is written.
    const bool whole =
        value.kind() == JsonKind::number &&
        value.number() == static_cast<double>(static_cast<int64_t>(value.number() > -9e15 && value.number() < 9e15 ? value.number() : 0.5));
    if ((types & (type_of(value) | (whole ? kInteger : 0u))) == 0) return {};
    for (const Parts::Part& part : parts)
      if ((single || part.schema->find("enum") != list) && !lists(*part.schema, value)) return {};
    text.clear();
    LINNET_TRY(append_literal(value, &text));
    return ways.push(grammar_.literal(text.view()));
  };
  if (single) {
    LINNET_TRY(add(*single));
  } else {
    for (const JsonValue& value : *list) LINNET_TRY(add(value));
  }
  *expr = grammar_.choice({ways.data(), ways.size()});
  return true;
}

// Whether no value satisfies both, as far as can be seen: by their types, their listed values, or a required property of theirs.
Result<bool> SchemaCompiler::are_apart(const JsonValue& a, const JsonValue& b) noexcept {
  Parts parts[2];
  const JsonValue* lists_of[] = {a.find("enum"), b.find("enum")};
  LINNET_TRY(spend((lists_of[0] ? uint64_t{lists_of[0]->size()} : 1) * (lists_of[1] ? uint64_t{lists_of[1]->size()} : 1)));
  LINNET_TRY(add_part(a, &parts[0]));
  LINNET_TRY(add_part(b, &parts[1]));
  if (parts[0].never || parts[1].never) return true;
  uint32_t types[2];
  const JsonValue* values[2] = {};
  for (int i = 0; i < 2; ++i) {
    types[i] = 0;
    bool given = false;
    for (const Parts::Part& part : parts[i]) {
      given = given || part.schema->find("type");
      if (const JsonValue* constant = part.schema->find("const")) values[i] = constant;
      if (const JsonValue* all = part.schema->find("enum"); all && !values[i]) values[i] = all;
    }
    types[i] = kEveryType;
    if (given) {
      LINNET_ASSIGN(types[i], this->types(parts[i]));
    }
  }
  // Numbers may be integers.
  for (uint32_t& bits : types) bits |= (bits & kNumber) ? kInteger : 0u;
  if ((types[0] & types[1]) == 0) return true;
  if (values[0] && values[1]) {
    const auto each_differs = [&](const JsonValue& value) {
      for (const Parts::Part& part : parts[1])
        if (!lists(*part.schema, value)) return true;
      return false;
    };
    bool all = true;
    for (const Parts::Part& part : parts[0]) {
      if (const JsonValue* constant = part.schema->find("const")) return each_differs(*constant);
      if (const JsonValue* list = part.schema->find("enum")) {
        for (const JsonValue& value : *list) all = all && each_differs(value);
        return all;
      }
    }
  }
  if (types[0] != kObject || types[1] != kObject) return false;
  return differ_by_property(parts[0], parts[1]);
}

// Whether there is a property that both require and whose listed values have nothing in common.
bool SchemaCompiler::differ_by_property(const Parts& a, const Parts& b) noexcept {
  const auto required = [](const Parts& parts, std::string_view name) {
    for (const Parts::Part& part : parts)
      if (const JsonValue* names = part.schema->find("required"))
        for (const JsonValue& item : *names)
          if (item.text() == name) return true;
    return false;
  };
  for (const Parts::Part& part : a) {
    const JsonValue* properties = part.schema->find("properties");
    if (!properties) continue;
    for (const JsonValue& mine : *properties) {
      if (!required(a, mine.key()) || !required(b, mine.key())) continue;
      for (const Parts::Part& other : b) {
        const JsonValue* others = other.schema->find("properties");
        const JsonValue* theirs = others ? others->find(mine.key()) : nullptr;
        if (!theirs || (!mine.find("const") && !mine.find("enum")) || (!theirs->find("const") && !theirs->find("enum"))) continue;
        bool common = false;
        if (const JsonValue* constant = mine.find("const"))
          common = lists(*theirs, *constant);
        else
          for (const JsonValue& value : *mine.find("enum")) common = common || lists(*theirs, value);
        if (!common) return true;
      }
    }
  }
  return false;
}

Status SchemaCompiler::check_apart(const JsonValue& branches) noexcept {
  if (branches.size() > 64) return refuse("oneOf", "has more than 64 branches");
  size_t i = 0;
  for (const JsonValue& a : branches) {
    size_t k = 0;
    for (const JsonValue& b : branches) {
      if (k++ <= i) continue;
      LINNET_ASSIGN(const bool apart, are_apart(a, b));
      if (!apart) return refuse("oneOf", "has branches that one value may satisfy at once; 'anyOf' says that this is meant");
    }
    ++i;
  }
  return {};
}

}  // namespace linnet::constrain
