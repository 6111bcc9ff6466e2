#include <cmath>
#include <cstring>

#include "format/header.h"
#include "format/model_file.h"
#include "kernels/layout.h"

namespace linnet::format {
namespace {

bool finite(const uint8_t* numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float number;
    std::memcpy(&number, numbers + i * sizeof number, sizeof number);
    if (!std::isfinite(number)) return false;
  }
  return true;
}

// The exponent 255 stands for no number.
bool exponents_are_finite(const Tensor& tensor) {
  const size_t panel_bytes = kernels::mxfp4_panel_bytes(tensor.columns), groups = kernels::int4_groups(tensor.columns);
  for (const uint8_t* panel = tensor.data; panel != tensor.data + tensor.bytes; panel += panel_bytes)
    for (size_t g = 0; g < groups; g += kernels::kGroupsPerScaleLine) {
      const uint8_t* line = panel + g * 2 * kernels::kLine + g / kernels::kGroupsPerScaleLine * kernels::kLine;
      for (size_t i = 0; i < kernels::kLine; ++i)
        if (line[i] == 255) return false;
    }
  return true;
}

// A scale that is not finite turns a whole row of results into NaN, which running never reports.
bool scales_are_finite(const Tensor& tensor) {
  size_t panel_bytes, floats;
  switch (tensor.encoding) {
    case schema::Encoding::int8:
      panel_bytes = kernels::int8_panel_bytes(tensor.columns);
      floats = 1;
      break;
    case schema::Encoding::int4:
      panel_bytes = kernels::int4_panel_bytes(tensor.columns);
      floats = 2;
      break;
    case schema::Encoding::mxfp4:
      return exponents_are_finite(tensor);
    default:
      return true;
  }
  const size_t panels = kernels::panels(tensor.rows);
  const size_t matrix = static_cast<size_t>(tensor.bytes / tensor.count);
  for (uint32_t i = 0; i < tensor.count; ++i)
    if (!finite(tensor.data + i * matrix + panels * panel_bytes, panels * kernels::kPanelRows * floats)) return false;
  return true;
}

}  // namespace

Status ModelFile::check_weights(bool (*progress)(void* user, uint64_t done, uint64_t total), void* user) const noexcept {
  uint64_t done = 0, total = 0;
  for (const Tensor& tensor : tensors_) total += tensor.bytes;
  for (const Tensor& tensor : tensors_) {
    if (tensor.checksum != 0 && checksum(tensor.data, static_cast<size_t>(tensor.bytes)) != tensor.checksum)
      return Status::error(Code::corrupt, "tensor \"%s\": its checksum is wrong", tensor.name.data());
    if (!scales_are_finite(tensor)) return Status::error(Code::corrupt, "tensor \"%s\" has a scale that is not finite", tensor.name.data());
    done += tensor.bytes;
    if (progress && !progress(user, done, total)) return Status::error(Code::cancelled, "checking the weights was stopped");
  }
  return {};
}

Status ModelFile::verify_weights(bool (*progress)(void* user, uint64_t done, uint64_t total), void* user) const noexcept {
  Status status = check_weights(progress, user);
  return status.ok() ? std::move(status) : named(status);
}

}  // namespace linnet::format
