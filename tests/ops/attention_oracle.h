// Attention written as its definition: every query against every key it may see, in f64, one sequence.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

namespace linnet::test {

struct Oracle {
  size_t heads, kv_heads, key_width, value_width;
  double scale = 1;
  std::function<bool(size_t query, size_t key)> sees;
  std::function<double(double score, size_t query, size_t key, size_t head)> bend = [](double score, size_t, size_t, size_t) {
    return score;
  };
  const std::vector<float>* sinks = nullptr;
  bool value_prefix = false;

  /// q: [queries][heads * key_width] at positions first, first + 1, ...; k, v: [keys][kv_heads * width].
  std::vector<float> operator()(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
                                size_t first = 0) const {
    const size_t queries = q.size() / (heads * key_width), keys = k.size() / (kv_heads * key_width);
    std::vector<float> out(queries * heads * value_width);
    for (size_t t = 0; t < queries; ++t)
      for (size_t h = 0; h < heads; ++h) {
        const size_t kv = h / (heads / kv_heads);
        std::vector<double> weights(keys, 0.0);
        double total = sinks ? std::exp(static_cast<double>((*sinks)[h])) : 0.0;
        for (size_t s = 0; s < keys; ++s) {
          if (!sees(first + t, s)) continue;
          double score = 0;
          for (size_t i = 0; i < key_width; ++i)
            score += static_cast<double>(q[(t * heads + h) * key_width + i]) * static_cast<double>(k[(s * kv_heads + kv) * key_width + i]);
          weights[s] = std::exp(bend(score * scale, first + t, s, h));
          total += weights[s];
        }
        for (size_t i = 0; i < value_width; ++i) {
          double sum = 0;
          for (size_t s = 0; s < keys; ++s) {
            const float value = value_prefix ? k[(s * kv_heads + kv) * key_width + i] : v[(s * kv_heads + kv) * value_width + i];
            sum += weights[s] * static_cast<double>(value);
          }
          out[(t * heads + h) * value_width + i] = total > 0 ? static_cast<float>(sum / total) : 0.0f;
        }
      }
    return out;
  }
};

}  // namespace linnet::test
