#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "format/header.h"
#include "format/parse.h"
#include "kernels/layout.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;

bool is_grouped(schema::Encoding encoding) { return encoding == schema::Encoding::int4; }

Status parse_tensor(const schema::Model& model, const schema::Tensor& table, uint64_t weight_bytes, Tensor* tensor) {
  tensor->name = text(table.name());
  const char* name = table.name()->c_str();
  tensor->encoding = table.encoding();
  const char* encoding = schema::EnumNameEncoding(table.encoding());
  if (!*encoding) return Status::error(Code::unsupported, "tensor '%s' has encoding %u, newer than this version", name, static_cast<unsigned>(table.encoding()));
  LINNET_TRY(expect_listed(model, "encoding", encoding));
  tensor->rows = table.rows();
  tensor->columns = table.columns();
  tensor->count = table.count();
  tensor->group = table.group();
  tensor->offset = table.offset();
  tensor->bytes = table.bytes();
  tensor->checksum = table.checksum();
  uint64_t bytes = tensor_bytes(tensor->encoding, tensor->rows, tensor->columns, tensor->count);
  if (bytes == 0)
    return Status::error(Code::corrupt, "tensor '%s' has an impossible shape: %u x %u x %u in %s", name, tensor->count, tensor->rows, tensor->columns, encoding);
  if (tensor->bytes != bytes)
    return Status::error(Code::corrupt, "tensor '%s' (%u x %u x %u, %s) has %llu bytes, not %llu", name, tensor->count, tensor->rows, tensor->columns,
                         encoding, static_cast<unsigned long long>(tensor->bytes), static_cast<unsigned long long>(bytes));
  if (is_grouped(tensor->encoding) ? tensor->group != kernels::kGroup : tensor->group != 0)
    return Status::error(is_grouped(tensor->encoding) ? Code::unsupported : Code::corrupt, "tensor '%s' (%s) has groups of %u columns", name, encoding, tensor->group);
  if (tensor->offset % kTensorAlignment != 0 || tensor->offset > weight_bytes || bytes > weight_bytes - tensor->offset)
    return Status::error(Code::corrupt, "tensor '%s' lies at %llu + %llu, outside the %llu bytes of weights or not on a multiple of 64", name,
                         static_cast<unsigned long long>(tensor->offset), static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(weight_bytes));
  return {};
}

// Sorted index lists show duplicates and overlaps as neighbours.
Status check_neighbours(const core::Array<Tensor>& tensors) {
  core::Array<uint32_t> order;
  LINNET_TRY(order.resize(tensors.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
  auto name = [&](uint32_t i) { return tensors[i].name; };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
  for (size_t i = 1; i < order.size(); ++i)
    if (name(order[i - 1]) == name(order[i])) return Status::error(Code::corrupt, "two tensors are called '%s'", name(order[i]).data());
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return tensors[a].offset < tensors[b].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const Tensor& before = tensors[order[i - 1]];
    const Tensor& after = tensors[order[i]];
    if (before.offset + before.bytes > after.offset)
      return Status::error(Code::corrupt, "tensors '%s' and '%s' overlap", before.name.data(), after.name.data());
  }
  return {};
}

Status parse_state(const schema::Model& model, const schema::State& table, State* state) {
  state->name = text(table.name());
  const char* name = table.name()->c_str();
  const char* kind = schema::EnumNameStateKind(table.kind());
  if (!*kind) return Status::error(Code::unsupported, "state '%s' has kind %u, newer than this version", name, static_cast<unsigned>(table.kind()));
  LINNET_TRY(expect_listed(model, "state", kind));
  if (!*schema::EnumNameStateEncoding(table.encoding()))
    return Status::error(Code::unsupported, "state '%s' has encoding %u, newer than this version", name, static_cast<unsigned>(table.encoding()));
  *state = {state->name, table.kind(), table.layer(), table.heads(), table.key_width(), table.value_width(), table.window(), table.sinks(), table.encoding()};
  if (state->heads == 0 || state->heads > limits::kHeads || state->key_width == 0 || state->key_width > limits::kHeadWidth ||
      state->value_width > limits::kHeadWidth || state->window > limits::kContext || state->sinks > limits::kContext)
    return Status::error(Code::corrupt, "state '%s' has impossible sizes: %u heads of %u and %u, window %u, sinks %u", name, state->heads, state->key_width,
                         state->value_width, state->window, state->sinks);
  return {};
}

}  // namespace

bool listed(const schema::Model& model, const char* kind, const char* name) noexcept {
  size_t length = std::strlen(kind);
  for (const flatbuffers::String* entry : *model.requirements()) {
    std::string_view text(entry->c_str(), entry->size());
    if (text.size() == length + 1 + std::strlen(name) && text.substr(0, length) == kind && text[length] == ':' && text.substr(length + 1) == name) return true;
  }
  return false;
}

Status expect_listed(const schema::Model& model, const char* kind, const char* name) noexcept {
  if (listed(model, kind, name)) return {};
  return Status::error(Code::corrupt, "'%s:%s' is used but not listed among the requirements", kind, name);
}

Status parse_tensors(const schema::Model& model, uint64_t weight_bytes, core::Array<Tensor>* tensors) noexcept {
  size_t count = model.tensors()->size();
  if (count > limits::kTensors) return Status::error(Code::corrupt, "%zu tensors, more than %u", count, limits::kTensors);
  LINNET_TRY(tensors->resize(count));
  for (size_t i = 0; i < count; ++i) LINNET_TRY(parse_tensor(model, *model.tensors()->Get(static_cast<uint32_t>(i)), weight_bytes, &(*tensors)[i]));
  return check_neighbours(*tensors);
}

Status parse_states(const schema::Model& model, core::Array<State>* states) noexcept {
  if (!model.states()) return {};
  size_t count = model.states()->size();
  if (count > limits::kStates) return Status::error(Code::corrupt, "%zu states, more than %u", count, limits::kStates);
  LINNET_TRY(states->resize(count));
  for (size_t i = 0; i < count; ++i) LINNET_TRY(parse_state(model, *model.states()->Get(static_cast<uint32_t>(i)), &(*states)[i]));
  return {};
}

}  // namespace linnet::format
