// A whole program, verified like bytecode. After this, no operation can read what is not there.
#include "core/array.h"
#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using format::Port;
using schema::Role;
using schema::Symbol;
using schema::ValueType;
namespace limits = core::limits;

struct Verifier {
  const Program& program;
  std::span<const Tensor> tensors;
  std::span<const State> states;
  core::Array<uint8_t> defined;   // by value
  core::Array<uint8_t> appended;  // by state: an Append was met

  Status values() noexcept;
  Status inputs() noexcept;
  Status node(const Node& node) noexcept;
  Status outputs() noexcept;
};

Status check_rows(const format::Rows& rows) noexcept {
  if (static_cast<size_t>(rows.symbol) >= format::kSymbols)
    return Status::error(Code::unsupported, "rows depend on symbol %u, which this build does not know", static_cast<unsigned>(rows.symbol));
  if (rows.divide == 0) return Status::error(Code::corrupt, "rows are divided by 0");
  if (rows.symbol != Symbol::none && rows.multiply % rows.divide != 0)
    return Status::error(Code::unsupported, "rows are %u / %u of %s, which is not a whole number for every call", rows.multiply,
                         rows.divide, schema::EnumNameSymbol(rows.symbol));
  return {};
}

Status check_value(const Value& value) noexcept {
  if (value.type > ValueType::MAX)
    return Status::error(Code::unsupported, "type %u, which this build does not know", static_cast<unsigned>(value.type));
  const uint32_t most = value.type == ValueType::q8 ? limits::kColumns : limits::kDenseColumns;
  if (value.columns == 0 || value.columns > most) return Status::error(Code::corrupt, "%u columns, expected 1 to %u", value.columns, most);
  if (value.type != ValueType::index && value.bound != 0)
    return Status::error(Code::corrupt, "a bound of %u, but it is no index", value.bound);
  if (value.bound > INT32_MAX) return Status::error(Code::corrupt, "a bound of %u, expected at most 2147483647", value.bound);
  return check_rows(value.rows);
}

Status Verifier::values() noexcept {
  if (program.values.size() > limits::kValues)
    return Status::error(Code::corrupt, "%zu values, expected at most %u", program.values.size(), limits::kValues);
  for (size_t i = 0; i < program.values.size(); ++i)
    if (Status status = check_value(program.values[i]); !status.ok())
      return Status::error(status.code(), "value %zu: %s", i, status.message());
  return {};
}

// What a role demands of the value behind it; 0 columns = any number.
struct RoleRule {
  Role role;
  ValueType type;
  uint32_t columns;
  Symbol symbol;  // one row for each of it; none = any rows
};
constexpr RoleRule kInputRoles[] = {
    {Role::token_ids, ValueType::index, 1, Symbol::tokens},
    {Role::token_types, ValueType::index, 1, Symbol::tokens},
    {Role::positions, ValueType::index, 0, Symbol::none},
    {Role::lengths, ValueType::index, 1, Symbol::none},
    {Role::output_rows, ValueType::index, 1, Symbol::outputs},
    {Role::features, ValueType::f32, 0, Symbol::none},
    {Role::pixels, ValueType::f32, 0, Symbol::none},
    {Role::embeddings, ValueType::f32, 0, Symbol::none},
    {Role::global_tokens, ValueType::index, 1, Symbol::none},
    {Role::latent_codes, ValueType::index, 0, Symbol::none},
    {Role::source_ids, ValueType::index, 1, Symbol::source_tokens},
    {Role::source_positions, ValueType::index, 0, Symbol::none},
    {Role::image_positions, ValueType::index, 0, Symbol::none},
    {Role::image_rows, ValueType::index, 1, Symbol::none},
    {Role::noise, ValueType::f32, 0, Symbol::none},
};

Status check_input(const Port& port, const Value& value) noexcept {
  const RoleRule* rule = nullptr;
  for (const RoleRule& candidate : kInputRoles)
    if (candidate.role == port.role) rule = &candidate;
  if (!rule) return Status::error(Code::unsupported, "role %u is not one of an input", static_cast<unsigned>(port.role));
  if (value.type != rule->type)
    return Status::error(Code::corrupt, "it is %s, but role %s takes %s", schema::EnumNameValueType(value.type),
                         schema::EnumNameRole(port.role), schema::EnumNameValueType(rule->type));
  if (rule->columns != 0 && value.columns != rule->columns)
    return Status::error(Code::corrupt, "%u columns, but role %s has %u", value.columns, schema::EnumNameRole(port.role), rule->columns);
  if (port.role == Role::positions && value.columns != 1 && value.columns != 3)
    return Status::error(Code::corrupt, "%u columns, but positions have 1 or 3", value.columns);
  if (rule->symbol != Symbol::none && !is_symbol(value.rows, rule->symbol))
    return Status::error(Code::corrupt, "role %s has one row for each of %s", schema::EnumNameRole(port.role),
                         schema::EnumNameSymbol(rule->symbol));
  if (value.type != ValueType::index) return {};
  if (port.role == Role::output_rows && value.bound != 0)
    return Status::error(Code::corrupt, "output rows with a bound of %u, expected 0 (the tokens of the call)", value.bound);
  if (port.role == Role::global_tokens && !is_symbol(value.rows, Symbol::tokens) && !is_symbol(value.rows, Symbol::source_tokens))
    return Status::error(Code::corrupt, "role global_tokens has one row for each of tokens or source_tokens");
  if (port.role == Role::global_tokens && value.bound != 2)
    return Status::error(Code::corrupt, "global tokens with a bound of %u, expected 2", value.bound);
  if (port.role != Role::output_rows && value.bound == 0) return Status::error(Code::corrupt, "an index without a bound");
  return {};
}

Status Verifier::inputs() noexcept {
  for (const Port& port : program.inputs) {
    const int length = static_cast<int>(port.name.size());
    if (port.value >= program.values.size())
      return Status::error(Code::corrupt, "input \"%.*s\" is value %u, but there are %zu", length, port.name.data(), port.value,
                           program.values.size());
    if (defined[port.value])
      return Status::error(Code::corrupt, "input \"%.*s\" is value %u, which is another input already", length, port.name.data(),
                           port.value);
    if (Status status = check_input(port, program.values[port.value]); !status.ok())
      return Status::error(status.code(), "input \"%.*s\": %s", length, port.name.data(), status.message());
    defined[port.value] = 1;
  }
  return {};
}

Status check_operands(const Node& node, const core::Array<uint8_t>& defined) noexcept {
  const Operation* found = operation(node.type);
  if (!found) return Status::error(Code::unsupported, "operation %u is not part of this build", static_cast<unsigned>(node.type));
  if (node.inputs.size() > limits::kOperands)
    return Status::error(Code::corrupt, "%s: %zu inputs, expected at most %u", name_of(node), node.inputs.size(), limits::kOperands);
  for (uint32_t input : node.inputs) {
    if (input >= defined.size())
      return Status::error(Code::corrupt, "%s: it reads value %u, but there are %zu", name_of(node), input, defined.size());
    if (!defined[input]) return Status::error(Code::corrupt, "%s: it reads value %u before it is defined", name_of(node), input);
  }
  if (node.outputs.size() != found->outputs)
    return Status::error(Code::corrupt, "%s: %zu outputs, expected %u", name_of(node), node.outputs.size(), found->outputs);
  for (uint32_t output : node.outputs) {
    if (output >= defined.size())
      return Status::error(Code::corrupt, "%s: it writes value %u, but there are %zu", name_of(node), output, defined.size());
    if (defined[output]) return Status::error(Code::corrupt, "%s: it writes value %u, which is defined already", name_of(node), output);
  }
  return {};
}

Status check_shape(const VerifyContext& context, const Value& declared, const Value& expected, uint32_t index) noexcept {
  const char* what = nullptr;
  if (declared.type != expected.type)
    what = "type";
  else if (declared.columns != expected.columns)
    what = "number of columns";
  else if (!same_rows(declared.rows, expected.rows))
    what = "number of rows";
  else if (declared.bound != expected.bound)
    what = "bound";
  if (!what) return {};
  return Status::error(Code::corrupt, "%s: value %u is declared with another %s (%s, %u columns) than what it gets (%s, %u columns)",
                       name_of(context.node), index, what, schema::EnumNameValueType(declared.type), declared.columns,
                       schema::EnumNameValueType(expected.type), expected.columns);
}

// Rows of token state that this call adds are read back from the pages, so that they must have been written before.
Status check_state_order(const Node& node, std::span<const State> states, core::Array<uint8_t>& appended) noexcept {
  if (node.type == schema::Options::Append) {
    const uint32_t state = node.as<schema::Append>().state();
    if (appended[state])
      return Status::error(Code::corrupt, "Append: state \"%.*s\" gets rows twice", static_cast<int>(states[state].name.size()),
                           states[state].name.data());
    appended[state] = 1;
  } else if (const int32_t state = state_read(node); state >= 0) {
    const State& read = states[static_cast<size_t>(state)];
    if (read.kind == schema::StateKind::token && !appended[static_cast<size_t>(state)])
      return Status::error(Code::corrupt, "%s: it reads state \"%.*s\" before this call's rows are appended", name_of(node),
                           static_cast<int>(read.name.size()), read.name.data());
  }
  return {};
}

Status Verifier::node(const Node& node) noexcept {
  LINNET_TRY(check_operands(node, defined));
  const Operation& found = *operation(node.type);
  const VerifyContext context{node, {program.values.data(), program.values.size()}, tensors, states};
  LINNET_TRY(found.verify(context));
  LINNET_TRY(check_state_order(node, states, appended));
  Value expected[limits::kOperands];
  if (found.shape) found.shape(context, expected);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    LINNET_TRY(check_shape(context, program.values[node.outputs[i]], expected[i], node.outputs[i]));
    if (defined[node.outputs[i]]) return Status::error(Code::corrupt, "%s: it writes value %u twice", name_of(node), node.outputs[i]);
    defined[node.outputs[i]] = 1;
  }
  return {};
}

Status Verifier::outputs() noexcept {
  for (const Port& port : program.outputs) {
    const int length = static_cast<int>(port.name.size());
    if (port.value >= program.values.size() || !defined[port.value])
      return Status::error(Code::corrupt, "output \"%.*s\" is value %u, which is not defined", length, port.name.data(), port.value);
    if (program.values[port.value].type != ValueType::f32)
      return Status::error(Code::corrupt, "output \"%.*s\" is %s, expected f32", length, port.name.data(),
                           schema::EnumNameValueType(program.values[port.value].type));
    if (port.role < Role::logits)
      return Status::error(Code::corrupt, "output \"%.*s\" has role %s, which is one of an input", length, port.name.data(),
                           schema::EnumNameRole(port.role));
  }
  return {};
}

Status verify(Verifier& verifier) noexcept {
  LINNET_TRY(verifier.defined.resize(verifier.program.values.size()));
  LINNET_TRY(verifier.appended.resize(verifier.states.size()));
  LINNET_TRY(verifier.values());
  LINNET_TRY(verifier.inputs());
  if (verifier.program.nodes.size() > limits::kOperations)
    return Status::error(Code::corrupt, "%zu operations, expected at most %u", verifier.program.nodes.size(), limits::kOperations);
  for (size_t i = 0; i < verifier.program.nodes.size(); ++i)
    if (Status status = verifier.node(verifier.program.nodes[i]); !status.ok())
      return status.code() == Code::out_of_memory ? std::move(status)
                                                  : Status::error(status.code(), "operation %zu: %s", i, status.message());
  return verifier.outputs();
}

}  // namespace

Status verify_program(const Program& program, std::span<const Tensor> tensors, std::span<const State> states) noexcept {
  Verifier verifier{program, tensors, states, {}, {}};
  Status status = verify(verifier);
  if (status.ok() || status.code() == Code::out_of_memory) return status;
  return Status::error(status.code(), "program \"%.*s\": %s", static_cast<int>(program.name.size()), program.name.data(), status.message());
}

}  // namespace linnet::ops
