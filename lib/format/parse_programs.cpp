#include <algorithm>

#include "core/limits.h"
#include "format/parse.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;

constexpr uint32_t kRowFactor = 1u << 20;   // multiply, divide, per_sequence, constant: keeps every row count below 2^63

Status parse_value(const char* program, uint32_t index, const schema::Value& table, Value* value) {
  const schema::Rows& rows = *table.rows();
  if (!*schema::EnumNameValueType(table.type()) || !*schema::EnumNameSymbol(rows.symbol()))
    return Status::error(Code::unsupported, "program '%s': value %u has type %u and symbol %u, newer than this version", program, index,
                         static_cast<unsigned>(table.type()), static_cast<unsigned>(rows.symbol()));
  *value = {table.type(), table.columns(), {rows.symbol(), rows.multiply(), rows.divide(), rows.per_sequence(), rows.constant()}, table.bound()};
  if (value->columns == 0 || value->columns > limits::kDenseColumns)
    return Status::error(Code::corrupt, "program '%s': value %u has %u columns", program, index, value->columns);
  if (rows.divide() == 0 || rows.divide() > kRowFactor || rows.multiply() > kRowFactor || rows.per_sequence() > kRowFactor || rows.constant() > kRowFactor)
    return Status::error(Code::corrupt, "program '%s': value %u has an impossible row count", program, index);
  if (value->type != schema::ValueType::index && value->bound != 0)
    return Status::error(Code::corrupt, "program '%s': value %u has a bound but is no index", program, index);
  if (value->bound > INT32_MAX) return Status::error(Code::corrupt, "program '%s': value %u has a bound beyond 32 bits", program, index);
  return {};
}

Status parse_ports(const char* program, const char* side, const flatbuffers::Vector<flatbuffers::Offset<schema::Port>>& tables, size_t values,
                   core::Array<Port>* ports) {
  if (tables.size() > limits::kOperands * 4) return Status::error(Code::corrupt, "program '%s' has %u %ss", program, tables.size(), side);
  LINNET_TRY(ports->resize(tables.size()));
  for (uint32_t i = 0; i < tables.size(); ++i) {
    const schema::Port& table = *tables.Get(i);
    const char* name = table.name()->c_str();
    if (!*schema::EnumNameRole(table.role()))
      return Status::error(Code::unsupported, "program '%s': %s '%s' has role %u, newer than this version", program, side, name, static_cast<unsigned>(table.role()));
    if (table.value() >= values) return Status::error(Code::corrupt, "program '%s': %s '%s' is value %u of %zu", program, side, name, table.value(), values);
    (*ports)[i] = {table.role(), text(table.name()), table.value()};
    for (uint32_t j = 0; j < i; ++j)
      if ((*ports)[j].name == (*ports)[i].name) return Status::error(Code::corrupt, "program '%s' has two %ss called '%s'", program, side, name);
  }
  return {};
}

Status parse_operands(const char* program, uint32_t index, const flatbuffers::Vector<uint32_t>* list, size_t values, std::span<const uint32_t>* operands) {
  if (!list) return {};
  if (list->size() > limits::kOperands) return Status::error(Code::corrupt, "program '%s': operation %u has %u operands", program, index, list->size());
  *operands = {list->data(), list->size()};
  for (uint32_t operand : *operands)
    if (operand >= values) return Status::error(Code::corrupt, "program '%s': operation %u names value %u of %zu", program, index, operand, values);
  return {};
}

Status parse_node(const schema::Model& model, const char* program, uint32_t index, const schema::Operation& table, size_t values, Node* node) {
  const char* name = schema::EnumNameOptions(table.options_type());
  if (table.options_type() == schema::Options::NONE || !*name)
    return Status::error(Code::unsupported, "program '%s': operation %u has code %u, newer than this version", program, index, static_cast<unsigned>(table.options_type()));
  LINNET_TRY(expect_listed(model, "operation", name));
  node->type = table.options_type();
  node->options = table.options();
  LINNET_TRY(parse_operands(program, index, table.inputs(), values, &node->inputs));
  return parse_operands(program, index, table.outputs(), values, &node->outputs);
}

Status parse_program(const schema::Model& model, const schema::Program& table, Program* program) {
  const char* name = table.name()->c_str();
  program->name = text(table.name());
  program->kind = table.kind();
  program->max_positions = table.max_positions();
  program->block_length = table.block_length();
  const char* kind = schema::EnumNameProgramKind(table.kind());
  if (!*kind) return Status::error(Code::unsupported, "program '%s' has kind %u, newer than this version", name, static_cast<unsigned>(table.kind()));
  LINNET_TRY(expect_listed(model, "program", kind));
  if (table.values()->size() > limits::kValues) return Status::error(Code::corrupt, "program '%s' has %u values", name, table.values()->size());
  if (table.operations()->size() > limits::kOperations || table.operations()->size() == 0)
    return Status::error(Code::corrupt, "program '%s' has %u operations", name, table.operations()->size());
  LINNET_TRY(program->values.resize(table.values()->size()));
  for (uint32_t i = 0; i < table.values()->size(); ++i) LINNET_TRY(parse_value(name, i, *table.values()->Get(i), &program->values[i]));
  LINNET_TRY(parse_ports(name, "input", *table.inputs(), program->values.size(), &program->inputs));
  LINNET_TRY(parse_ports(name, "output", *table.outputs(), program->values.size(), &program->outputs));
  LINNET_TRY(program->nodes.resize(table.operations()->size()));
  for (uint32_t i = 0; i < table.operations()->size(); ++i)
    LINNET_TRY(parse_node(model, name, i, *table.operations()->Get(i), program->values.size(), &program->nodes[i]));
  return {};
}

}  // namespace

Status parse_programs(const schema::Model& model, core::Array<Program>* programs) noexcept {
  uint32_t count = model.programs()->size();
  if (count == 0 || count > limits::kPrograms) return Status::error(Code::corrupt, "%u programs; there must be 1 to %u", count, limits::kPrograms);
  LINNET_TRY(programs->resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    LINNET_TRY(parse_program(model, *model.programs()->Get(i), &(*programs)[i]));
    for (uint32_t j = 0; j < i; ++j)
      if ((*programs)[j].name == (*programs)[i].name) return Status::error(Code::corrupt, "two programs are called '%s'", (*programs)[i].name.data());
  }
  return {};
}

}  // namespace linnet::format
