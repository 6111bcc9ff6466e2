// The transposed product and single rows: each encoding decodes 8 columns of a row at a time. Bit-equal to the portable kernels:
// a product rounds before it is added.
#include "../tiles.h"
#include "linear.h"

namespace linnet::kernels::avx2 {
namespace {

__m256i first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// One row of W: `eight(k)` gives columns k .. k + 7 (k a multiple of 8), those past the end as anything.
struct F32 {
  const float* row;
  size_t columns;
  F32(const uint8_t* weights, size_t, size_t k, size_t n) : row(reinterpret_cast<const float*>(weights) + n * k), columns(k) {}
  __m256 eight(size_t k) const {
    return k + 8 <= columns ? _mm256_loadu_ps(row + k) : _mm256_maskload_ps(row + k, first_lanes(columns - k));
  }
};

struct Halves {
  const uint16_t* row;
  size_t columns;
  Halves(const uint8_t* weights, size_t k, size_t n) : row(reinterpret_cast<const uint16_t*>(weights) + n * k), columns(k) {}
  __m128i bits(size_t k) const {
    if (k + 8 <= columns) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + k));
    alignas(16) uint16_t padded[8] = {};
    for (size_t i = 0; k + i < columns; ++i) padded[i] = row[k + i];
    return _mm_load_si128(reinterpret_cast<const __m128i*>(padded));
  }
};
struct F16 : Halves {
  F16(const uint8_t* weights, size_t, size_t k, size_t n) : Halves(weights, k, n) {}
  __m256 eight(size_t k) const { return _mm256_cvtph_ps(bits(k)); }
};
struct Bf16 : Halves {
  Bf16(const uint8_t* weights, size_t, size_t k, size_t n) : Halves(weights, k, n) {}
  __m256 eight(size_t k) const { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits(k)), 16)); }
};

struct Int8 {
  const uint8_t* lines;
  __m256 scale;
  Int8(const uint8_t* weights, size_t rows, size_t k, size_t n)
      : lines(weights + n / kPanelRows * int8_panel_bytes(k) + n % kPanelRows * 8),
        scale(_mm256_broadcast_ss(reinterpret_cast<const float*>(weights + panels(rows) * int8_panel_bytes(k)) + n)) {}
  __m256 eight(size_t k) const {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lines + k / 8 * kLine));
    return _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
  }
};

struct Int4 {
  const uint8_t* panel;
  size_t row;
  __m256 scale, offset;
  Int4(const uint8_t* weights, size_t rows, size_t k, size_t n)
      : panel(weights + n / kPanelRows * int4_panel_bytes(k)), row(n % kPanelRows) {
    const float* scales = reinterpret_cast<const float*>(weights + panels(rows) * int4_panel_bytes(k));
    scale = _mm256_broadcast_ss(scales + n);
    offset = _mm256_broadcast_ss(scales + panels(rows) * kPanelRows + n);
  }
  __m256 eight(size_t k) const {
    const size_t g = k / kGroup % kGroupsPerScaleLine;
    const uint8_t* block = panel + k / (kGroup * kGroupsPerScaleLine) * x86::kBlockBytes;
    const uint8_t* pair = block + kLine + (g * 2 + k % kGroup / 16) * kLine + row * 8;
    const int group = block[g * 8 + row];
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(pair));
    const __m256i both = _mm256_cvtepu8_epi32(bytes);
    const __m256i nibbles = _mm256_and_si256(k % 16 < 8 ? both : _mm256_srli_epi32(both, 4), _mm256_set1_epi32(15));
    const __m256i steps = _mm256_mullo_epi32(nibbles, _mm256_set1_epi32((group & 15) + 1));
    const __m256 product = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(steps));
    return _mm256_sub_ps(product, _mm256_mul_ps(offset, _mm256_set1_ps(static_cast<float>(group >> 4))));
  }
};

struct Mxfp4 {
  const uint8_t* panel;
  size_t row;
  Mxfp4(const uint8_t* weights, size_t, size_t k, size_t n) : panel(weights + n / kPanelRows * mxfp4_panel_bytes(k)), row(n % kPanelRows) {}
  __m256 eight(size_t k) const {
    const size_t g = k / kGroup % kGroupsPerScaleLine;
    const uint8_t* block = panel + k / (kGroup * kGroupsPerScaleLine) * x86::kBlockBytes;
    const uint8_t* pair = block + kLine + (g * 2 + k % kGroup / 16) * kLine + row * 8;
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(pair));
    const __m128i nibbles = _mm_and_si128(k % 16 < 8 ? bytes : _mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
    const __m128i halves = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kMxfp4Halves)), nibbles);
    const __m256 values = _mm256_mul_ps(_mm256_set1_ps(0.5f), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(halves)));
    return _mm256_mul_ps(values, _mm256_set1_ps(mxfp4_power(block[g * 8 + row])));
  }
};

/// Columns [first, first + 8 * Eights) of out for `Tokens` rows of x.
template <class Encoding, size_t Tokens, size_t Eights>
void transposed_tile(const TransposedTask& task, size_t first, size_t m) {
  const float* x = task.dense + m * task.dense_stride;
  __m256 sum[Tokens][Eights];
  LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) sum[t][i] = _mm256_setzero_ps();
  for (size_t n = task.first_row; n < task.end_row; ++n) {
    const Encoding row(task.weights, task.rows, task.columns, n);
    __m256 w[Eights];
    LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) w[i] = row.eight(first + i * 8);
    LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) {
      const __m256 a = _mm256_broadcast_ss(x + t * task.dense_stride + n - task.first_row);
      LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) sum[t][i] = _mm256_add_ps(sum[t][i], _mm256_mul_ps(a, w[i]));
    }
  }
  LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) {
    const size_t k = first + i * 8;
    float* out = task.out + (m + t) * task.out_stride + k;
    if (k + 8 <= task.last_column) {
      _mm256_storeu_ps(out, sum[t][i]);
    } else {
      _mm256_maskstore_ps(out, first_lanes(task.last_column - k), sum[t][i]);
    }
  }
}

template <class Encoding>
void transposed(const TransposedTask& task) {
  constexpr size_t kEights = 4;
  size_t k = task.first_column;
  for (; k + 8 * kEights <= task.last_column; k += 8 * kEights) {
    size_t m = 0;
    for (; m + 2 <= task.tokens; m += 2) transposed_tile<Encoding, 2, kEights>(task, k, m);
    if (m < task.tokens) transposed_tile<Encoding, 1, kEights>(task, k, m);
  }
  for (; k < task.last_column; k += 8)
    for (size_t m = 0; m < task.tokens; ++m) transposed_tile<Encoding, 1, 1>(task, k, m);
}

template <class Encoding>
void one_row(const uint8_t* weights, size_t rows, size_t columns, size_t n, float* out) {
  const Encoding row(weights, rows, columns, n);
  size_t k = 0;
  for (; k + 8 <= columns; k += 8) _mm256_storeu_ps(out + k, row.eight(k));
  if (k < columns) _mm256_maskstore_ps(out + k, first_lanes(columns - k), row.eight(k));
}

}  // namespace

void fill_transposed(LinearKernels& kernels) {
  kernels.transposed_f32 = transposed<F32>;
  kernels.transposed_f16 = transposed<F16>;
  kernels.transposed_bf16 = transposed<Bf16>;
  kernels.transposed_int8 = transposed<Int8>;
  kernels.transposed_int4 = transposed<Int4>;
  kernels.transposed_mxfp4 = transposed<Mxfp4>;
  kernels.row_f32 = one_row<F32>;
  kernels.row_f16 = one_row<F16>;
  kernels.row_bf16 = one_row<Bf16>;
  kernels.row_int8 = one_row<Int8>;
  kernels.row_int4 = one_row<Int4>;
  kernels.row_mxfp4 = one_row<Mxfp4>;
}

}  // namespace linnet::kernels::avx2
