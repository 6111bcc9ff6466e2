#include "core/checked.h"
#include "core/limits.h"
#include "format/header.h"
#include "format/program.h"
#include "kernels/layout.h"

namespace linnet::format {

using core::Checked;

uint64_t tensor_bytes(schema::Encoding encoding, uint64_t rows, uint64_t columns, uint64_t count) noexcept {
  namespace limits = core::limits;
  const bool quantized = encoding == schema::Encoding::int8 || encoding == schema::Encoding::int4 || encoding == schema::Encoding::mxfp4;
  if (rows == 0 || columns == 0 || count == 0 || rows > limits::kTensorRows) return 0;
  if (columns > (quantized ? limits::kColumns : limits::kDenseColumns)) return 0;
  const size_t panels = kernels::panels(static_cast<size_t>(rows)), width = static_cast<size_t>(columns);
  Checked matrix(0);
  switch (encoding) {
    case schema::Encoding::f32:
      matrix = Checked(rows) * columns * 4;
      break;
    case schema::Encoding::f16:
    case schema::Encoding::bf16:
      matrix = Checked(rows) * columns * 2;
      break;
    // Panel by panel, as int8_matrix_bytes and its neighbours say: a whole matrix may pass what size_t holds on 32-bit machines.
    case schema::Encoding::int8:
      matrix = Checked(panels) * (kernels::int8_panel_bytes(width) + kernels::kPanelRows * sizeof(float));
      break;
    case schema::Encoding::int4:
      matrix = Checked(panels) * (kernels::int4_panel_bytes(width) + 2 * kernels::kPanelRows * sizeof(float));
      break;
    case schema::Encoding::mxfp4:
      matrix = Checked(panels) * kernels::mxfp4_panel_bytes(width);
      break;
    default:
      return 0;
  }
  Checked all = count == 1 ? matrix : matrix.round_up(kTensorAlignment) * count;
  return all.ok() && all.value() <= INT64_MAX ? all.value() : 0;
}

}  // namespace linnet::format
