#include "core/limits.h"
#include "format/parse.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;

Status parse_rows(const schema::Rows& table, Rows* rows) {
  if (table.symbol() > schema::Symbol::MAX)
    return Status::error(Code::unsupported, "rows of symbol %u, which this build does not know", static_cast<unsigned>(table.symbol()));
  if (table.divide() == 0 || table.divide() > limits::kRowFactor || table.multiply() > limits::kRowFactor ||
      table.per_sequence() > limits::kRowFactor || table.constant() > limits::kContext)
    return Status::error(Code::corrupt, "%u * symbol / %u + %u * sequences + %u rows, expected factors of at most %u, none divided by 0",
                         table.multiply(), table.divide(), table.per_sequence(), table.constant(), limits::kRowFactor);
  *rows = {.symbol = table.symbol(),
           .multiply = table.multiply(),
           .divide = table.divide(),
           .per_sequence = table.per_sequence(),
           .constant = table.constant()};
  return {};
}

Status parse_value(const schema::Value& table, Value* value) {
  if (table.type() > schema::ValueType::MAX)
    return Status::error(Code::unsupported, "type %u, which this build does not know", static_cast<unsigned>(table.type()));
  *value = {.type = table.type(), .columns = table.columns(), .rows = {}, .bound = table.bound()};
  if (value->columns == 0 || value->columns > limits::kDenseColumns)
    return Status::error(Code::corrupt, "%u columns, expected 1 to %u", value->columns, limits::kDenseColumns);
  if (value->type != schema::ValueType::index && value->bound != 0)
    return Status::error(Code::corrupt, "a bound of %u, but it is no index", value->bound);
  if (value->bound > INT32_MAX) return Status::error(Code::corrupt, "a bound of %u, expected at most 2147483647", value->bound);
  return parse_rows(*table.rows(), &value->rows);
}

Status parse_values(const schema::Program& table, core::Array<Value>* values) {
  const uint32_t count = table.values()->size();
  if (count > limits::kValues) return Status::error(Code::corrupt, "%u values, expected at most %u", count, limits::kValues);
  LINNET_TRY(values->resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Value& value = *table.values()->Get(i);
    if (value.name() && value.name()->size() > 0) LINNET_TRY(check_name("value", i, value.name()));
    if (Status status = parse_value(value, &(*values)[i]); !status.ok())
      return Status::error(status.code(), "value %u \"%s\": %s", i, value.name() ? value.name()->c_str() : "", status.message());
  }
  return {};
}

Status parse_ports(const char* side, const flatbuffers::Vector<flatbuffers::Offset<schema::Port>>& tables, size_t values,
                   core::Array<Port>* ports) {
  if (tables.size() > limits::kPorts)
    return Status::error(Code::corrupt, "%u %ss, expected at most %u", tables.size(), side, limits::kPorts);
  LINNET_TRY(ports->resize(tables.size()));
  for (uint32_t i = 0; i < tables.size(); ++i) {
    const schema::Port& table = *tables.Get(i);
    LINNET_TRY(check_name(side, i, table.name()));
    const char* name = table.name()->c_str();
    if (*schema::EnumNameRole(table.role()) == 0)
      return Status::error(Code::unsupported, "%s \"%s\" has role %u, which this build does not know", side, name,
                           static_cast<unsigned>(table.role()));
    if (table.value() >= values)
      return Status::error(Code::corrupt, "%s \"%s\" is value %u, but there are %zu", side, name, table.value(), values);
    (*ports)[i] = {table.role(), text(table.name()), table.value()};
    for (uint32_t j = 0; j < i; ++j)
      if ((*ports)[j].name == (*ports)[i].name) return Status::error(Code::corrupt, "two %ss are called \"%s\"", side, name);
  }
  return {};
}

Status parse_operands(const char* side, const flatbuffers::Vector<uint32_t>* list, size_t values, std::span<const uint32_t>* operands) {
  if (!list) return {};
  if (list->size() > limits::kOperands)
    return Status::error(Code::corrupt, "%u %ss, expected at most %u", list->size(), side, limits::kOperands);
  *operands = {list->data(), list->size()};
  for (const uint32_t operand : *operands)
    if (operand >= values) return Status::error(Code::corrupt, "its %s is value %u, but there are %zu", side, operand, values);
  return {};
}

Status parse_node(const schema::Operation& table, const Requirements& requirements, size_t values, Node* node) {
  const char* name = schema::EnumNameOptions(table.options_type());
  if (table.options_type() == schema::Options::NONE) return Status::error(Code::corrupt, "it has no options and so no meaning");
  if (*name == 0)
    return Status::error(Code::unsupported, "its code is %u, which this build does not know", static_cast<unsigned>(table.options_type()));
  LINNET_TRY(expect_listed(requirements.operations[static_cast<size_t>(table.options_type())], "operation", name));
  node->type = table.options_type();
  node->options = table.options();
  LINNET_TRY(parse_operands("input", table.inputs(), values, &node->inputs));
  LINNET_TRY(parse_operands("output", table.outputs(), values, &node->outputs));
  LINNET_TRY(check_features(*node, requirements));
  return check_option_numbers(*node);
}

Status parse_nodes(const schema::Program& table, const Requirements& requirements, size_t values, core::Array<Node>* nodes) {
  const uint32_t count = table.operations()->size();
  if (count == 0 || count > limits::kOperations)
    return Status::error(Code::corrupt, "%u operations, expected 1 to %u", count, limits::kOperations);
  LINNET_TRY(nodes->resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Operation& operation = *table.operations()->Get(i);
    if (Status status = parse_node(operation, requirements, values, &(*nodes)[i]); !status.ok())
      return Status::error(status.code(), "operation %u: %s", i, status.message());
  }
  return {};
}

// What a host fills in that gives no positions or global tokens.
Status parse_defaults(const schema::Program& table, const Requirements& requirements, Program* program) {
  using schema::ProgramKind;
  program->padding_id = table.padding_id();
  program->global_rule = table.global_rule();
  program->separator_id = table.separator_id();
  if (program->global_rule > schema::GlobalRule::MAX)
    return Status::error(Code::unsupported, "its global rule is %u, which this build does not know",
                         static_cast<unsigned>(table.global_rule()));
  if (program->padding_id < -1 || program->padding_id >= static_cast<int32_t>(limits::kContext) || program->separator_id < -1)
    return Status::error(Code::corrupt, "padding id %d and separator id %d, expected -1 or an id", program->padding_id,
                         program->separator_id);
  if (program->global_rule == schema::GlobalRule::before_separator && program->separator_id < 0)
    return Status::error(Code::corrupt, "global tokens before a separator, but no separator id");
  if (program->padding_id < 0) return {};
  LINNET_TRY(expect_listed(requirements.features[static_cast<size_t>(schema::Feature::padding_positions)], "feature", "padding_positions"));
  // Where a sequence goes on in a later call, nobody knows how many tokens were counted.
  if (program->kind == ProgramKind::encoder) return {};
  return Status::error(Code::corrupt, "positions that pass over an id in a program of kind %s, expected encoder",
                       schema::EnumNameProgramKind(program->kind));
}

Status parse_program(const schema::Program& table, const Requirements& requirements, Program* program) {
  const char* kind = schema::EnumNameProgramKind(table.kind());
  if (*kind == 0)
    return Status::error(Code::unsupported, "its kind is %u, which this build does not know", static_cast<unsigned>(table.kind()));
  LINNET_TRY(expect_listed(requirements.programs[static_cast<size_t>(table.kind())], "program", kind));
  program->name = text(table.name());
  program->kind = table.kind();
  program->max_positions = table.max_positions();
  program->block_length = table.block_length();
  if (program->max_positions > limits::kContext || program->block_length > limits::kContext)
    return Status::error(Code::corrupt, "%u positions in blocks of %u, expected at most %u", program->max_positions, program->block_length,
                         limits::kContext);
  LINNET_TRY(parse_defaults(table, requirements, program));
  LINNET_TRY(parse_values(table, &program->values));
  LINNET_TRY(parse_ports("input", *table.inputs(), program->values.size(), &program->inputs));
  LINNET_TRY(parse_ports("output", *table.outputs(), program->values.size(), &program->outputs));
  return parse_nodes(table, requirements, program->values.size(), &program->nodes);
}

}  // namespace

Status parse_programs(const schema::Model& model, const Requirements& requirements, core::Array<Program>* programs) noexcept {
  const uint32_t count = model.programs()->size();
  if (model.adapter()) {
    if (count != 0) return Status::error(Code::corrupt, "an adapter with %u programs, expected none", count);
    return {};
  }
  if (count == 0 || count > limits::kPrograms)
    return Status::error(Code::corrupt, "%u programs, expected 1 to %u", count, limits::kPrograms);
  LINNET_TRY(programs->resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Program& table = *model.programs()->Get(i);
    LINNET_TRY(check_name("program", i, table.name()));
    for (uint32_t j = 0; j < i; ++j)
      if ((*programs)[j].name == text(table.name()))
        return Status::error(Code::corrupt, "two programs are called \"%s\"", table.name()->c_str());
    Status status = parse_program(table, requirements, &(*programs)[i]);
    if (!status.ok() && status.code() != Code::out_of_memory)
      return Status::error(status.code(), "program \"%s\": %s", table.name()->c_str(), status.message());
    LINNET_TRY(std::move(status));
  }
  return {};
}

}  // namespace linnet::format
