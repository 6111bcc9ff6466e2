// Pieces of decoders in plain double precision, and small checkpoints of their families with random weights.
#pragma once

#include "convert/converted.h"

namespace linnet::oracle {

struct Look {
  size_t heads, kv_heads, width;
  double scale = 0;    // 0 = 1 / sqrt(width)
  size_t window = 0;   // positions that a token sees, its own included; 0 = all
  double softcap = 0;  // 0 = off
  Vector slopes = {};  // Falcon's ALiBi
  Vector sinks = {};   // of each head: one more score, without a value
};

/// To the nearest number with eight bits of mantissa, ties to even.
inline double bfloat16(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
}

inline Rows look(const Rows& q, const Rows& k, const Rows& v, const Look& c) {
  const double scale = c.scale != 0 ? c.scale : 1 / std::sqrt(static_cast<double>(c.width));
  Rows out(q.size(), Vector(c.heads * c.width, 0.0));
  for (size_t a = 0; a < c.heads; ++a)
    for (size_t i = 0; i < q.size(); ++i) {
      const size_t from = a * c.width, shared = a / (c.heads / c.kv_heads) * c.width;
      const size_t first = c.window != 0 && i + 1 > c.window ? i + 1 - c.window : 0;
      Vector scores;
      double top = -INFINITY, sum = 0;
      for (size_t j = first; j <= i; ++j) {
        double score = 0;
        for (size_t n = 0; n < c.width; ++n) score += q[i][from + n] * k[j][shared + n];
        if (!c.slopes.empty()) score += bfloat16(c.slopes[a] * bfloat16(static_cast<double>(j)));
        score *= scale;
        if (c.softcap != 0) score = c.softcap * std::tanh(score / c.softcap);
        scores.push_back(score);
        top = std::max(top, score);
      }
      if (!c.sinks.empty()) top = std::max(top, c.sinks[a]), sum = std::exp(c.sinks[a] - top);
      for (double& score : scores) sum += score = std::exp(score - top);
      for (size_t j = first; j <= i; ++j)
        for (size_t n = 0; n < c.width; ++n) out[i][from + n] += scores[j - first] / sum * v[j][shared + n];
    }
  return out;
}

/// The first `rotated` channels of each head of `width`, halves.
inline Rows turn(Rows x, size_t width, size_t rotated, double theta) {
  for (size_t p = 0; p < x.size(); ++p)
    for (size_t h = 0; h < x[p].size(); h += width)
      for (size_t i = 0; i < rotated / 2; ++i) {
        const double angle = static_cast<double>(p) * std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(rotated));
        double &a = x[p][h + i], &b = x[p][h + rotated / 2 + i];
        const double first = a;
        a = first * std::cos(angle) - b * std::sin(angle);
        b = b * std::cos(angle) + first * std::sin(angle);
      }
  return x;
}

/// Columns of x, in the order of `wanted`.
inline Rows columns(const Rows& x, const std::vector<size_t>& wanted) {
  Rows out;
  for (const Vector& row : x) {
    Vector picked;
    for (size_t column : wanted) picked.push_back(row.at(column));
    out.push_back(picked);
  }
  return out;
}

/// `width` columns from each of `firsts` on.
inline std::vector<size_t> stretches(const std::vector<size_t>& firsts, size_t width) {
  std::vector<size_t> all;
  for (size_t first : firsts)
    for (size_t i = 0; i < width; ++i) all.push_back(first + i);
  return all;
}

inline Rows times(Rows x, double factor) {
  for (Vector& row : x)
    for (double& value : row) value *= factor;
  return x;
}

inline Rows product(Rows x, const Rows& y) {
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t k = 0; k < x[i].size(); ++k) x[i][k] *= y.at(i).at(k);
  return x;
}

inline Rows embedded(const Tensors& t, const std::string& table, const std::vector<int32_t>& ids, size_t hidden) {
  Rows x;
  for (int32_t id : ids) x.push_back(table_row(t, table, static_cast<size_t>(id), hidden));
  return x;
}

inline std::vector<int32_t> counted(size_t count) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = static_cast<int32_t>(i);
  return ids;
}

/// A layer by its base name: its matrix, and its bias where there is one.
inline Rows dense(const Tensors& t, const Rows& x, const std::string& name) {
  return linear(t, x, name + ".weight", t.count(name + ".bias") ? name + ".bias" : "");
}

/// The same with a matrix that is stored as [in, out].
inline Rows dense_in_out(const Tensors& t, const Rows& x, const std::string& name) {
  const Vector w = tensor(t, name + ".weight"), b = tensor(t, name + ".bias");
  Rows y(x.size(), b);
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t k = 0; k < x[i].size(); ++k)
      for (size_t n = 0; n < b.size(); ++n) y[i][n] += x[i][k] * w[k * b.size() + n];
  return y;
}

/// RMS of groups of `width` columns (0 = the row), with weights of `added` + w.
inline Rows root_mean(const Tensors& t, Rows x, const std::string& name, double epsilon, size_t width = 0, double added = 0) {
  const Vector w = tensor(t, name + ".weight");
  for (Vector& row : x) {
    const size_t group = width != 0 ? width : row.size();
    for (size_t first = 0; first < row.size(); first += group) {
      double squares = 0;
      for (size_t k = 0; k < group; ++k) squares += row[first + k] * row[first + k];
      const double root = std::sqrt(squares / static_cast<double>(group) + epsilon);
      for (size_t k = 0; k < group; ++k) row[first + k] *= (added + w[k % w.size()]) / root;
    }
  }
  return x;
}

/// Fills a checkpoint with random weights.
struct Filler {
  Filler(convert::FakeCheckpoint& checkpoint, uint32_t seed) : c(checkpoint), w(seed) {}
  void table(const std::string& name, size_t rows, size_t width) { c.put(name + ".weight", {rows, width}, w.matrix(rows, width)); }
  void matrix(const std::string& name, size_t out, size_t in, bool bias) {
    c.put(name + ".weight", {out, in}, w.matrix(out, in));
    if (bias) c.put(name + ".bias", {out}, w.around(0, out));
  }
  void in_out(const std::string& name, size_t in, size_t out) {
    c.put(name + ".weight", {in, out}, w.matrix(in, out)).put(name + ".bias", {out}, w.around(0, out));
  }
  void scale(const std::string& name, size_t width, float middle = 1) { c.put(name + ".weight", {width}, w.around(middle, width)); }
  void norm(const std::string& name, size_t width) {
    scale(name, width);
    c.put(name + ".bias", {width}, w.around(0, width));
  }
  convert::FakeCheckpoint& c;
  tests::Weights w;
};

/// What an f32 conversion of `checkpoint` says of `ids`, beside what `expected` makes of its tensors.
template <class Expected>
double error_of(const convert::FakeCheckpoint& checkpoint, const std::vector<int32_t>& ids, Expected expected) {
  return error(run_decoder(converted(checkpoint, weights("f32")), ids), flat(expected(tensors_of(checkpoint), ids)));
}

}  // namespace linnet::oracle
