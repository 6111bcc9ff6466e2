#include "convert/readers/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "convert/readers/gguf_header.h"
#include "core/checked.h"

namespace linnet::convert {
namespace {

using core::Checked;

constexpr uint64_t kMaxName = 65535;
constexpr uint32_t kMaxDimensions = 4;

uint64_t alignment(const GgufMetadata& metadata, const std::string& path) {
  const GgufMetadata::Value* stored = metadata.find("general.alignment");
  if (stored && !std::holds_alternative<int64_t>(*stored))
    throw Error(path + ": key 'general.alignment' holds another type, expected a whole number");
  const int64_t bytes = metadata.whole("general.alignment", 32);
  if (bytes <= 0 || bytes > INT32_MAX || (bytes & (bytes - 1)) != 0)
    throw Error(fmt::format("{}: general.alignment is {}, expected a power of two", path, bytes));
  return static_cast<uint64_t>(bytes);
}

// The offset still counts from where the data section begins.
GgufFile::Tensor read_tensor(GgufCursor& cursor) {
  GgufFile::Tensor tensor;
  tensor.name = cursor.text(kMaxName, "a tensor name");
  const std::string what = fmt::format("{}: tensor '{}'", cursor.path(), tensor.name);
  const uint32_t dimensions = cursor.number<uint32_t>();
  if (dimensions == 0 || dimensions > kMaxDimensions)
    throw Error(fmt::format("{} has {} dimensions, expected 1 to {}", what, dimensions, kMaxDimensions));
  Checked values = 1;
  for (uint32_t i = 0; i < dimensions; ++i) {
    const uint64_t extent = cursor.number<uint64_t>();
    if (extent == 0) throw Error(fmt::format("{} has a dimension of 0, expected 1 or more", what));
    tensor.shape.insert(tensor.shape.begin(), extent);
    values = values * extent;
  }
  tensor.type = &gguf_type(cursor.number<uint32_t>(), what);
  if (tensor.shape.back() % tensor.type->values != 0)
    throw Error(fmt::format("{} has rows of {} values, expected a multiple of {} as it is stored as {}", what, tensor.shape.back(),
                            tensor.type->values, tensor.type->name));
  const Checked bytes = Checked(values.value() / tensor.type->values) * tensor.type->bytes;
  const Checked decoded = values * sizeof(float);
  if (!bytes.ok() || !decoded.ok()) throw Error(fmt::format("{} has a shape that overflows", what));
  tensor.values = values.value();
  tensor.bytes = bytes.value();
  tensor.offset = cursor.number<uint64_t>();
  return tensor;
}

}  // namespace

GgufFile::GgufFile(const std::string& path) : file_(path) {
  GgufCursor cursor(file_);
  const uint64_t count = read_gguf_pairs(cursor, &metadata_);
  const uint64_t unit = alignment(metadata_, path);
  std::set<std::string> names;
  for (uint64_t i = 0; i < count; ++i) {
    tensors_.push_back(read_tensor(cursor));
    if (!names.insert(tensors_.back().name).second)
      throw Error(fmt::format("{}: tensor '{}' stands there twice", path, tensors_.back().name));
  }
  const Checked begin = Checked(cursor.position()).round_up(unit);
  for (Tensor& tensor : tensors_) {
    const Checked end = begin + tensor.offset + tensor.bytes;
    if (tensor.offset % unit != 0)
      throw Error(fmt::format("{}: tensor '{}' begins at {}, expected a multiple of {}", path, tensor.name, tensor.offset, unit));
    if (!end.ok() || end.value() > file_.size())
      throw Error(
          fmt::format("{}: tensor '{}' of {} bytes does not lie in the file: truncated or malformed", path, tensor.name, tensor.bytes));
    tensor.offset += begin.value();
  }
  refuse_overlaps();
}

void GgufFile::refuse_overlaps() const {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors_) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->offset + order[i - 1]->bytes > order[i]->offset)
      throw Error(fmt::format("{}: tensors '{}' and '{}' overlap", path(), order[i - 1]->name, order[i]->name));
}

std::vector<float> GgufFile::read_rows(const Tensor& tensor, uint64_t first, uint64_t count) const {
  const uint64_t width = tensor.shape.back();
  const uint64_t row_bytes = width / tensor.type->values * tensor.type->bytes;
  const std::vector<uint8_t> bytes = file_.read(tensor.offset + first * row_bytes, count * row_bytes);
  std::vector<float> values(count * width);
  expand_blocks(*tensor.type, bytes.data(), values.size(), values.data());
  return values;
}

}  // namespace linnet::convert
