// int8: y = a[m] * scale[n] * sum(x w) + bias.   int4: y = a[m] * (R[n] * A - M[n] * B) + bias.   mxfp4: y = a[m] / 2 * sum 2^e S + bias.
// Sums are exact int32, so any order of them gives the same; the float operations that follow have one order.
#include "kernels/portable/linear.h"

namespace linnet::kernels::portable {
namespace {

bool stored(const LinearTask& task, size_t n) { return n >= task.first_row && n < task.end_row; }

void store(const LinearTask& task, size_t m, size_t n, float y) {
  size_t column = n - task.first_row;
  task.out[m * task.out_stride + column] = task.bias ? y + task.bias[column] : y;
}

}  // namespace

void int8(const LinearTask& task) {
  const size_t panel_bytes = int8_panel_bytes(task.columns);
  const float* scales = reinterpret_cast<const float*>(task.weights + panels(task.rows) * panel_bytes);
  const size_t chunks = padded_columns(task.columns) / 8;
  for (size_t p = task.first_panel; p < task.last_panel; ++p) {
    const int8_t* panel = reinterpret_cast<const int8_t*>(task.weights + p * panel_bytes);
    for (size_t m = 0; m < task.tokens; ++m) {
      const int8_t* x = task.x.data + m * task.x.stride;
      int32_t sum[kPanelRows] = {};
      for (size_t chunk = 0; chunk < chunks; ++chunk)
        for (size_t r = 0; r < kPanelRows; ++r)
          for (size_t i = 0; i < 8; ++i) sum[r] += x[chunk * 8 + i] * panel[chunk * kLine + r * 8 + i];
      for (size_t r = 0; r < kPanelRows; ++r) {
        size_t n = p * kPanelRows + r;
        if (stored(task, n)) store(task, m, n, (task.x.scale[m] * scales[n]) * static_cast<float>(sum[r]));
      }
    }
  }
}

void int4(const LinearTask& task) {
  const size_t panel_bytes = int4_panel_bytes(task.columns);
  const float* scales = reinterpret_cast<const float*>(task.weights + panels(task.rows) * panel_bytes);  // R
  const float* offsets = scales + panels(task.rows) * kPanelRows;                                        // M
  const size_t groups = int4_groups(task.columns);
  constexpr size_t kBlockBytes = kLine * (1 + 2 * kGroupsPerScaleLine);
  for (size_t p = task.first_panel; p < task.last_panel; ++p) {
    const uint8_t* panel = task.weights + p * panel_bytes;
    for (size_t m = 0; m < task.tokens; ++m) {
      const int8_t* x = task.x.data + m * task.x.stride;
      const int16_t* group_sum = task.x.group_sum + m * groups;
      int32_t a[kPanelRows] = {}, b[kPanelRows] = {};
      for (size_t g = 0; g < groups; ++g) {
        const uint8_t* scale_line = panel + g / kGroupsPerScaleLine * kBlockBytes;
        const uint8_t* lines = scale_line + kLine + g % kGroupsPerScaleLine * 2 * kLine;
        for (size_t r = 0; r < kPanelRows; ++r) {
          int32_t sum = 0;
          for (size_t k = 0; k < kGroup; ++k) {
            int32_t byte = lines[k / 16 * kLine + r * 8 + k % 8];
            sum += x[g * kGroup + k] * (k % 16 < 8 ? byte & 15 : byte >> 4);
          }
          int32_t scale_byte = scale_line[g % kGroupsPerScaleLine * 8 + r];
          a[r] += ((scale_byte & 15) + 1) * sum;
          b[r] += (scale_byte >> 4) * group_sum[g];
        }
      }
      for (size_t r = 0; r < kPanelRows; ++r) {
        size_t n = p * kPanelRows + r;
        if (!stored(task, n)) continue;
        float product = scales[n] * static_cast<float>(a[r]);
        float offset = offsets[n] * static_cast<float>(b[r]);
        store(task, m, n, task.x.scale[m] * (product - offset));
      }
    }
  }
}

void mxfp4(const LinearTask& task) {
  const size_t panel_bytes = mxfp4_panel_bytes(task.columns), groups = int4_groups(task.columns);
  constexpr size_t kBlockBytes = kLine * (1 + 2 * kGroupsPerScaleLine);
  for (size_t p = task.first_panel; p < task.last_panel; ++p) {
    const uint8_t* panel = task.weights + p * panel_bytes;
    for (size_t m = 0; m < task.tokens; ++m) {
      const int8_t* x = task.x.data + m * task.x.stride;
      float sum[kPanelRows] = {};
      for (size_t g = 0; g < groups; ++g) {
        const uint8_t* exponents = panel + g / kGroupsPerScaleLine * kBlockBytes;
        const uint8_t* lines = exponents + kLine + g % kGroupsPerScaleLine * 2 * kLine;
        for (size_t r = 0; r < kPanelRows; ++r) {
          int32_t group = 0;
          for (size_t k = 0; k < kGroup; ++k) {
            const int32_t byte = lines[k / 16 * kLine + r * 8 + k % 8];
            group += x[g * kGroup + k] * kMxfp4Halves[k % 16 < 8 ? byte & 15 : byte >> 4];
          }
          sum[r] += mxfp4_power(exponents[g % kGroupsPerScaleLine * 8 + r]) * static_cast<float>(group);
        }
      }
      for (size_t r = 0; r < kPanelRows; ++r)
        if (const size_t n = p * kPanelRows + r; stored(task, n)) store(task, m, n, (task.x.scale[m] * 0.5f) * sum[r]);
    }
  }
}

}  // namespace linnet::kernels::portable
