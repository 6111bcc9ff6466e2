#include <algorithm>
#include <cmath>

#include "core/limits.h"
#include "format/header.h"
#include "format/parse.h"
#include "kernels/layout.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;
using ull = unsigned long long;

bool has_groups(schema::Encoding encoding) { return encoding == schema::Encoding::int4 || encoding == schema::Encoding::mxfp4; }

// The checkpoint's tensors that this one was made of; an adapter finds its rows by them.
Status check_parts(const schema::Tensor& table, const Tensor& tensor) {
  if (!table.parts()) return {};
  for (uint32_t i = 0; i < table.parts()->size(); ++i) {
    const schema::Part& part = *table.parts()->Get(i);
    LINNET_TRY(check_name("tensor part", i, part.source()));
    if (part.first_row() > tensor.rows || part.rows() > tensor.rows - part.first_row())
      return Status::error(Code::corrupt, "tensor \"%s\": part \"%s\" is rows %u to %llu of %u", table.name()->c_str(),
                           part.source()->c_str(), part.first_row(), ull{part.first_row()} + part.rows(), tensor.rows);
    if (part.first_column() > tensor.columns || part.columns() > tensor.columns - part.first_column())
      return Status::error(Code::corrupt, "tensor \"%s\": part \"%s\" is columns %u to %llu of %u", table.name()->c_str(),
                           part.source()->c_str(), part.first_column(), ull{part.first_column()} + part.columns(), tensor.columns);
    if (part.source_row() > UINT32_MAX - std::max(part.rows(), part.columns()) || !std::isfinite(part.added()))
      return Status::error(Code::corrupt, "tensor \"%s\": part \"%s\" is rows from %u on of its source, %g added", table.name()->c_str(),
                           part.source()->c_str(), part.source_row(), static_cast<double>(part.added()));
    if (part.use() > schema::Use::MAX)
      return Status::error(Code::unsupported, "tensor \"%s\": part \"%s\" has use %u, which this build does not know",
                           table.name()->c_str(), part.source()->c_str(), static_cast<unsigned>(part.use()));
  }
  return {};
}

Status check_factors(const schema::Tensor& table, const char* side, const flatbuffers::Vector<const schema::Factor*>* factors,
                     uint32_t size) {
  if (!factors) return {};
  for (uint32_t i = 0; i < factors->size(); ++i) {
    const schema::Factor& factor = *factors->Get(i);
    if (factor.index() >= size || (i > 0 && factor.index() <= factors->Get(i - 1)->index()))
      return Status::error(Code::corrupt, "tensor \"%s\": factor %u is of %s %u of %u, expected rising ones", table.name()->c_str(), i,
                           side, factor.index(), size);
    if (!std::isfinite(factor.factor()) || factor.factor() == 0)
      return Status::error(Code::corrupt, "tensor \"%s\": the factor of %s %u is 0 or not finite", table.name()->c_str(), side,
                           factor.index());
  }
  return {};
}

Status check_place(const Tensor& tensor, const char* encoding, uint64_t weight_bytes) {
  const char* name = tensor.name.data();
  const uint64_t bytes = tensor_bytes(tensor.encoding, tensor.rows, tensor.columns, tensor.count);
  if (bytes == 0)
    return Status::error(Code::corrupt, "tensor \"%s\": %u matrices of %u x %u in %s have no size or pass a limit", name, tensor.count,
                         tensor.rows, tensor.columns, encoding);
  if (tensor.bytes != bytes)
    return Status::error(Code::corrupt, "tensor \"%s\" has %llu bytes, but %u matrices of %u x %u in %s take %llu", name,
                         static_cast<ull>(tensor.bytes), tensor.count, tensor.rows, tensor.columns, encoding, static_cast<ull>(bytes));
  if (tensor.offset % kTensorAlignment != 0)
    return Status::error(Code::corrupt, "tensor \"%s\" lies at %llu, expected a multiple of %llu", name, static_cast<ull>(tensor.offset),
                         static_cast<ull>(kTensorAlignment));
  if (tensor.offset > weight_bytes || bytes > weight_bytes - tensor.offset)
    return Status::error(Code::corrupt, "tensor \"%s\" has %llu bytes from %llu on, outside of the %llu bytes of weights", name,
                         static_cast<ull>(bytes), static_cast<ull>(tensor.offset), static_cast<ull>(weight_bytes));
  return {};
}

Status parse_tensor(const schema::Tensor& table, const Requirements& requirements, uint64_t weight_bytes, Tensor* tensor) {
  const char* name = table.name()->c_str();
  const char* encoding = schema::EnumNameEncoding(table.encoding());
  if (*encoding == 0)
    return Status::error(Code::unsupported, "tensor \"%s\" has encoding %u, which this build does not know", name,
                         static_cast<unsigned>(table.encoding()));
  LINNET_TRY(expect_listed(requirements.encodings[static_cast<size_t>(table.encoding())], "encoding", encoding));
  *tensor = {.name = text(table.name()),
             .encoding = table.encoding(),
             .rows = table.rows(),
             .columns = table.columns(),
             .count = table.count(),
             .group = table.group(),
             .offset = table.offset(),
             .bytes = table.bytes(),
             .checksum = table.checksum()};
  const uint32_t group = has_groups(tensor->encoding) ? static_cast<uint32_t>(kernels::kGroup) : 0;
  if (tensor->group != group)
    return Status::error(group != 0 && tensor->group != 0 ? Code::unsupported : Code::corrupt,
                         "tensor \"%s\" (%s) has groups of %u columns, expected %u", name, encoding, tensor->group, group);
  LINNET_TRY(check_place(*tensor, encoding, weight_bytes));
  LINNET_TRY(check_factors(table, "row", table.row_factors(), tensor->rows));
  LINNET_TRY(check_factors(table, "column", table.column_factors(), tensor->columns));
  return check_parts(table, *tensor);
}

Status check_unique(const core::Array<Tensor>& tensors, core::Array<uint32_t>& order) {
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return tensors[a].name < tensors[b].name; });
  for (size_t i = 1; i < order.size(); ++i)
    if (tensors[order[i - 1]].name == tensors[order[i]].name)
      return Status::error(Code::corrupt, "two tensors are called \"%s\"", tensors[order[i]].name.data());
  return {};
}

// Every byte of the segment belongs to one tensor or to a gap that alignment explains: nothing can hide there.
Status check_cover(const core::Array<Tensor>& tensors, core::Array<uint32_t>& order, uint64_t weight_bytes) {
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return tensors[a].offset < tensors[b].offset; });
  uint64_t end = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const Tensor& tensor = tensors[order[i]];
    if (tensor.offset < end)
      return Status::error(Code::corrupt, "tensors \"%s\" and \"%s\" overlap", tensors[order[i - 1]].name.data(), tensor.name.data());
    if (tensor.offset - end >= kWeightAlignment)
      return Status::error(Code::corrupt, "%llu bytes of weights before tensor \"%s\" belong to no tensor",
                           static_cast<ull>(tensor.offset - end), tensor.name.data());
    end = tensor.offset + tensor.bytes;
  }
  if (weight_bytes - end >= kWeightAlignment)
    return Status::error(Code::corrupt, "the last %llu bytes of weights belong to no tensor", static_cast<ull>(weight_bytes - end));
  return {};
}

Status parse_state(const schema::State& table, const Requirements& requirements, State* state) {
  const char* name = table.name()->c_str();
  const char* kind = schema::EnumNameStateKind(table.kind());
  if (*kind == 0)
    return Status::error(Code::unsupported, "state \"%s\" has kind %u, which this build does not know", name,
                         static_cast<unsigned>(table.kind()));
  LINNET_TRY(expect_listed(requirements.states[static_cast<size_t>(table.kind())], "state", kind));
  if (table.encoding() > schema::StateEncoding::MAX)
    return Status::error(Code::unsupported, "state \"%s\" has encoding %u, which this build does not know", name,
                         static_cast<unsigned>(table.encoding()));
  *state = {.name = text(table.name()),
            .kind = table.kind(),
            .layer = table.layer(),
            .heads = table.heads(),
            .key_width = table.key_width(),
            .value_width = table.value_width(),
            .window = table.window(),
            .sinks = table.sinks(),
            .encoding = table.encoding()};
  if (state->heads == 0 || state->heads > limits::kHeads)
    return Status::error(Code::corrupt, "state \"%s\" has %u heads, expected 1 to %u", name, state->heads, limits::kHeads);
  if (state->key_width == 0 || state->key_width > limits::kHeadWidth || state->value_width > limits::kHeadWidth)
    return Status::error(Code::corrupt, "state \"%s\" has keys of %u and values of %u numbers, expected at most %u", name, state->key_width,
                         state->value_width, limits::kHeadWidth);
  if (state->window > limits::kContext || state->sinks > limits::kContext)
    return Status::error(Code::corrupt, "state \"%s\" keeps %u positions and the first %u, expected at most %u", name, state->window,
                         state->sinks, limits::kContext);
  return {};
}

}  // namespace

Status parse_tensors(const schema::Model& model, const Requirements& requirements, uint64_t weight_bytes,
                     core::Array<Tensor>* tensors) noexcept {
  const uint32_t count = model.tensors()->size();
  if (count > limits::kTensors) return Status::error(Code::corrupt, "%u tensors, expected at most %u", count, limits::kTensors);
  LINNET_TRY(tensors->resize(count));
  core::Array<uint32_t> order;
  LINNET_TRY(order.resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Tensor& table = *model.tensors()->Get(i);
    LINNET_TRY(check_name("tensor", i, table.name()));
    LINNET_TRY(parse_tensor(table, requirements, weight_bytes, &(*tensors)[i]));
    order[i] = i;
  }
  LINNET_TRY(check_unique(*tensors, order));
  return check_cover(*tensors, order, weight_bytes);
}

Status parse_states(const schema::Model& model, const Requirements& requirements, core::Array<State>* states) noexcept {
  if (!model.states()) return {};
  const uint32_t count = model.states()->size();
  if (count > limits::kStates) return Status::error(Code::corrupt, "%u states, expected at most %u", count, limits::kStates);
  LINNET_TRY(states->resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    const schema::State& table = *model.states()->Get(i);
    LINNET_TRY(check_name("state", i, table.name()));
    LINNET_TRY(parse_state(table, requirements, &(*states)[i]));
    for (uint32_t j = 0; j < i; ++j)
      if ((*states)[j].name == (*states)[i].name)
        return Status::error(Code::corrupt, "two states are called \"%s\"", table.name()->c_str());
  }
  return {};
}

}  // namespace linnet::format
