#include "convert/quantizers/int4.h"

#include <algorithm>
#include <cmath>

#include "kernels/layout.h"

namespace linnet::convert {
namespace {

constexpr size_t kGroup = kernels::kGroup;
constexpr float kSmallest = 1e-30f;  // of a row's largest weight: R and M could not be told precisely, and the row counts as zero

struct Row {
  const float* w;  // whole groups
  const float* h;  // weight of each column's error; 0 in the padding
  size_t groups;
};

struct Range {
  float lowest, highest;
};

Range range_of(const float* w) {
  auto [low, high] = std::minmax_element(w, w + kGroup);
  return {std::min(*low, 0.0f), *high};
}

// The error of one group with a given step and shift; stops once it passes `best`.
float group_error(const float* w, const float* h, float step, float shift, float best) {
  float error = 0, inverse = 1 / step;
  for (size_t k = 0; k < kGroup; ++k) {
    float q = std::clamp(std::nearbyint((w[k] + shift) * inverse), 0.0f, 15.0f);
    float difference = w[k] - (step * q - shift);
    error += h[k] * difference * difference;
    if ((k & 7) == 7 && error >= best) return error;
  }
  return error;
}

// The best (s, m) of one group for the row's R and M.
float search_group(const float* w, const float* h, float R, float M, uint8_t* best_s, uint8_t* best_m) {
  Range range = range_of(w);
  int middle = M > 0 ? static_cast<int>(std::min(std::nearbyint(-range.lowest / M), 1000.0f)) : 0;
  float best = INFINITY;
  int tried = -1;
  for (int dm = -3; dm <= 1; ++dm) {
    int m = M > 0 ? std::clamp(middle + dm, 0, 15) : 0;
    if (m == tried) continue;
    tried = m;
    float shift = M * static_cast<float>(m);
    int s_middle = static_cast<int>(std::min(std::ceil((range.highest + shift) / (15 * R)), 1000.0f));
    int s_tried = -1;
    for (int ds = -2; ds <= 1; ++ds) {
      int s = std::clamp(s_middle + ds, 1, 16);
      if (s == s_tried) continue;
      s_tried = s;
      float error = group_error(w, h, R * static_cast<float>(s), shift, best);
      if (error >= best) continue;
      best = error;
      *best_s = static_cast<uint8_t>(s);
      *best_m = static_cast<uint8_t>(m);
    }
  }
  return best;
}

double search_row(const Row& row, float R, float M, Int4Row* out) {
  double error = 0;
  for (size_t g = 0; g < row.groups; ++g)
    error += static_cast<double>(search_group(row.w + g * kGroup, row.h + g * kGroup, R, M, &out->s[g], &out->m[g]));
  out->R = R;
  out->M = M;
  return error;
}

void round_row(const Row& row, Int4Row* out) {
  for (size_t k = 0; k < row.groups * kGroup; ++k) {
    float step = out->R * static_cast<float>(out->s[k / kGroup]), shift = out->M * static_cast<float>(out->m[k / kGroup]);
    out->q[k] = static_cast<uint8_t>(std::clamp(std::nearbyint((row.w[k] + shift) / step), 0.0f, 15.0f));
  }
}

// With all integers held, the best R and M by least squares. False when they are not determined or not usable.
bool solve(const Row& row, const Int4Row& integers, float* R, float* M) {
  double xx = 0, xy = 0, yy = 0, xw = 0, yw = 0;
  for (size_t k = 0; k < row.groups * kGroup; ++k) {
    double h = static_cast<double>(row.h[k]), w = static_cast<double>(row.w[k]);
    double x = static_cast<double>(integers.s[k / kGroup]) * integers.q[k], y = integers.m[k / kGroup];
    xx += h * x * x;
    xy += h * x * y;
    yy += h * y * y;
    xw += h * x * w;
    yw += h * y * w;
  }
  double determinant = xx * yy - xy * xy;
  if (yy == 0 && xx > 0) {  // no offset in use
    *R = static_cast<float>(xw / xx);
    *M = 0;
    return *R > 0 && std::isfinite(*R);
  }
  if (!(determinant > 1e-9 * xx * yy)) return false;
  *R = static_cast<float>((xw * yy - yw * xy) / determinant);
  *M = static_cast<float>((xw * xy - yw * xx) / determinant);
  return *R > 0 && *M >= 0 && std::isfinite(*R) && std::isfinite(*M);
}

// Starting values: the row's widest group fits exactly at f = 1.
void reach_of(const Row& row, float* reach, float* lowest) {
  *reach = *lowest = 0;
  for (size_t g = 0; g < row.groups; ++g) {
    Range range = range_of(row.w + g * kGroup);
    *reach = std::max(*reach, (range.highest - range.lowest) / 240);
    *lowest = std::max(*lowest, -range.lowest / 15);
  }
  if (*reach == 0) *reach = *lowest / 16;  // every group is one negative number, which its offset alone expresses
}

float largest_of(const float* weights, size_t columns) {
  float largest = 0;
  for (size_t k = 0; k < columns; ++k) largest = std::max(largest, std::fabs(weights[k]));
  return largest;
}

// The best of several starts and of two refinements. `best` comes with its vectors in their sizes.
void search(const Row& row, Int4Row* best) {
  float reach, lowest;
  reach_of(row, &reach, &lowest);
  Int4Row trial = *best;
  double best_error = INFINITY;
  auto consider = [&](float R, float M) {
    double error = search_row(row, R, M, &trial);
    if (error < best_error) {
      best_error = error;
      *best = trial;
    }
  };
  consider(reach, lowest);  // from the extremes: what the search must not fall behind
  for (float fm : {0.80f, 0.95f})
    for (float f = 0.75f; f < 1.01f; f += 0.05f) consider(f * reach, fm * lowest);
  for (int pass = 0; pass < 2; ++pass) {
    round_row(row, best);
    float R, M;
    if (!solve(row, *best, &R, &M)) break;
    consider(R, M);
  }
  round_row(row, best);
}

}  // namespace

void quantize_int4(const float* weights, size_t columns, size_t padded, const float* importance, Int4Row* out) {
  *out = {};
  out->s.assign(padded / kGroup, 1);
  out->m.assign(padded / kGroup, 0);
  out->q.assign(padded, 0);
  const float largest = largest_of(weights, columns);
  if (largest < kSmallest) return;  // R = M = 0

  // Searched at a size near 1, where squares neither overflow nor vanish. The last group is filled up with a weight of its own, which
  // leaves its range as it is, of no importance.
  const int exponent = std::ilogb(largest);
  const size_t groups = (columns + kGroup - 1) / kGroup;
  std::vector<float> w(groups * kGroup), h(groups * kGroup, 0.0f);
  for (size_t k = 0; k < w.size(); ++k) w[k] = std::ldexp(weights[std::min(k, columns - 1)], -exponent);
  for (size_t k = 0; k < columns; ++k) h[k] = importance ? importance[k] : 1;
  search({w.data(), h.data(), groups}, out);
  std::fill(out->q.begin() + static_cast<ptrdiff_t>(columns), out->q.end(), uint8_t{0});
  out->R = std::ldexp(out->R, exponent);
  out->M = std::ldexp(out->M, exponent);
}

}  // namespace linnet::convert
