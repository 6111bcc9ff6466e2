// What models compute, written from the formulas in plain double precision, for tests of whole conversions: no fusing, no cache, no
// kernel of the library. Slow and obvious on purpose.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace linnet::oracle {

using Vector = std::vector<double>;
using Rows = std::vector<Vector>;                           // one for each token
using Tensors = std::map<std::string, std::vector<float>>;  // by Hugging Face name, row-major

inline Vector tensor(const Tensors& tensors, const std::string& name) {
  auto found = tensors.find(name);
  if (found == tensors.end()) throw std::runtime_error("the oracle misses " + name);
  return {found->second.begin(), found->second.end()};
}

inline Vector table_row(const Tensors& tensors, const std::string& name, size_t row, size_t columns) {
  const Vector all = tensor(tensors, name);
  return {all.begin() + static_cast<long>(row * columns), all.begin() + static_cast<long>((row + 1) * columns)};
}

/// y = W x + b; no b where `bias` is empty.
inline Rows linear(const Tensors& tensors, const Rows& x, const std::string& matrix, const std::string& bias) {
  const Vector w = tensor(tensors, matrix), b = bias.empty() ? Vector() : tensor(tensors, bias);
  Rows y;
  for (const Vector& row : x) {
    Vector out(w.size() / row.size());
    for (size_t n = 0; n < out.size(); ++n) {
      out[n] = b.empty() ? 0 : b[n];
      for (size_t k = 0; k < row.size(); ++k) out[n] += w[n * row.size() + k] * row[k];
    }
    y.push_back(out);
  }
  return y;
}

inline Rows rms_norm(const Tensors& tensors, Rows x, const std::string& weight, double epsilon) {
  const Vector w = tensor(tensors, weight);
  for (Vector& row : x) {
    double squares = 0;
    for (double value : row) squares += value * value;
    const double root = std::sqrt(squares / static_cast<double>(row.size()) + epsilon);
    for (size_t k = 0; k < row.size(); ++k) row[k] = row[k] / root * w[k];
  }
  return x;
}

inline Rows layer_norm(const Tensors& tensors, Rows x, const std::string& name, double epsilon) {
  const Vector w = tensor(tensors, name + ".weight"), b = tensor(tensors, name + ".bias");
  for (Vector& row : x) {
    double mean = 0, variance = 0;
    for (double value : row) mean += value / static_cast<double>(row.size());
    for (double value : row) variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
    for (size_t k = 0; k < row.size(); ++k) row[k] = (row[k] - mean) / std::sqrt(variance + epsilon) * w[k] + b[k];
  }
  return x;
}

inline double activate(const std::string& name, double x) {
  if (name == "gelu") return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  if (name == "quick_gelu") return x / (1 + std::exp(-1.702 * x));
  if (name == "silu" || name == "swish") return x / (1 + std::exp(-x));
  if (name == "relu") return std::max(x, 0.0);
  if (name == "tanh") return std::tanh(x);
  throw std::runtime_error("the oracle misses the activation " + name);
}

inline Rows activate(const std::string& name, Rows x) {
  for (Vector& row : x)
    for (double& value : row) value = activate(name, value);
  return x;
}

inline Rows add(Rows x, const Rows& y) {
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t k = 0; k < x[i].size(); ++k) x[i][k] += y.at(i).at(k);
  return x;
}

/// Query head a reads key and value head a / (heads / kv_heads). Causal: token i sees tokens 0 to i.
inline Rows attention(const Rows& q, const Rows& k, const Rows& v, size_t heads, size_t kv_heads, size_t width, bool causal) {
  Rows out(q.size(), Vector(heads * width, 0.0));
  for (size_t a = 0; a < heads; ++a) {
    const size_t from = a * width, shared = a / (heads / kv_heads) * width;
    for (size_t i = 0; i < q.size(); ++i) {
      Vector scores(causal ? i + 1 : q.size());
      for (size_t j = 0; j < scores.size(); ++j)
        for (size_t c = 0; c < width; ++c) scores[j] += q[i][from + c] * k[j][shared + c] / std::sqrt(static_cast<double>(width));
      const double top = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - top);
      for (size_t j = 0; j < scores.size(); ++j)
        for (size_t c = 0; c < width; ++c) out[i][from + c] += scores[j] / sum * v[j][shared + c];
    }
  }
  return out;
}

inline Vector flat(const Rows& rows) {
  Vector all;
  for (const Vector& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

/// The largest difference over the largest expected value.
inline double error(const std::vector<float>& got, const Vector& expected) {
  if (got.size() != expected.size()) return INFINITY;
  double worst = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    worst = std::max(worst, std::fabs(got[i] - expected[i]));
    largest = std::max(largest, std::fabs(expected[i]));
  }
  return worst / largest;
}

/// |got - expected| / |expected| over all numbers.
inline double distance(const std::vector<float>& got, const Vector& expected) {
  if (got.size() != expected.size()) return INFINITY;
  double difference = 0, whole = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    whole += expected[i] * expected[i];
  }
  return std::sqrt(difference / whole);
}

}  // namespace linnet::oracle
