#include <doctest/doctest.h>

#include <cmath>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;

namespace {

struct Shape {
  uint32_t heads, key_width, value_width, buckets, distance;
};

/// Rows of queries, biases, keys, values and, for predicting rows, own keys and values.
struct Given {
  std::vector<float> q, bias, k, v, own_k, own_v;
  Given(const Shape& s, size_t count)
      : q(random_numbers(count * s.heads * s.key_width, 1)),
        bias(random_numbers(count * s.heads * s.buckets, 2)),
        k(random_numbers(count * s.heads * s.key_width, 3)),
        v(random_numbers(count * s.heads * s.value_width, 4)),
        own_k(random_numbers(count * s.heads * s.key_width, 5)),
        own_v(random_numbers(count * s.heads * s.value_width, 6)) {}
};

constexpr double kScale = 0.4;

// Half the buckets for single distances, the rest by logarithms up to the longest.
size_t bucket(const Shape& s, size_t distance) {
  const size_t exact = s.buckets / 2;
  if (distance < exact) return distance;
  const double growth = std::log(static_cast<double>(distance) / static_cast<double>(exact)) /
                        std::log(static_cast<double>(s.distance) / static_cast<double>(exact));
  return std::min<size_t>(s.buckets - 1, exact + static_cast<size_t>(growth * static_cast<double>(s.buckets - exact)));
}

std::vector<float> expected(const Shape& s, const Given& r, size_t count, bool own) {
  std::vector<float> all;
  for (size_t t = 0; t < count; ++t)
    for (size_t h = 0; h < s.heads; ++h) {
      const auto score = [&](const std::vector<float>& keys, size_t row, size_t distance) {
        double sum = 0;
        for (size_t i = 0; i < s.key_width; ++i)
          sum += double{r.q[(t * s.heads + h) * s.key_width + i]} * keys[(row * s.heads + h) * s.key_width + i];
        return sum * kScale + r.bias[(t * s.buckets + bucket(s, distance)) * s.heads + h];
      };
      std::vector<double> weights;
      for (size_t j = 0; j <= t; ++j) weights.push_back(std::exp(score(r.k, j, t - j + (own ? 1 : 0))));
      if (own) weights.push_back(std::exp(score(r.own_k, t, 0)));
      double total = 0;
      for (double weight : weights) total += weight;
      for (size_t i = 0; i < s.value_width; ++i) {
        double sum = 0;
        for (size_t j = 0; j <= t; ++j) sum += weights[j] * r.v[(j * s.heads + h) * s.value_width + i];
        if (own) sum += weights.back() * r.own_v[(t * s.heads + h) * s.value_width + i];
        all.push_back(static_cast<float>(sum / total));
      }
    }
  return all;
}

std::vector<float> part(const std::vector<float>& all, size_t columns, size_t first, size_t count) {
  return {all.begin() + static_cast<long>(first * columns), all.begin() + static_cast<long>((first + count) * columns)};
}

std::vector<float> computed(const Shape& s, const Given& r, const std::vector<uint32_t>& chunks, bool own, uint32_t threads,
                            kernels::Level level, kernels::StateEncoding encoding = kernels::StateEncoding::f32) {
  Trial trial;
  trial.counts[Symbol::tokens] = {0};
  trial.level = level;
  trial.threads = threads;
  trial.encoding = encoding;
  const uint32_t state = trial.state(s.heads, s.key_width, s.value_width);
  const std::vector<float> none;
  const uint32_t keys = s.heads * s.key_width, values = s.heads * s.value_width, biases = s.heads * s.buckets;
  const uint32_t q = trial.input(none, keys), bias = trial.input(none, biases), k = trial.input(none, keys), v = trial.input(none, values),
                 own_k = trial.input(none, keys), own_v = trial.input(none, values), out = trial.output(values);
  trial.operation<schema::Append>([&](auto& builder) { return schema::CreateAppend(builder, state); }, {k, v}, {});
  trial.operation<schema::NgramAttention>(
      [&](auto& builder) {
        return schema::CreateNgramAttention(builder, state, s.heads, s.key_width, s.value_width, static_cast<float>(kScale), s.distance,
                                            own);
      },
      own ? std::vector<uint32_t>{q, bias, own_k, own_v} : std::vector<uint32_t>{q, bias}, {out});
  trial.wants(out);
  const Status status = trial.verify();
  REQUIRE_MESSAGE(status.ok(), status.message());
  std::vector<float> all;
  size_t first = 0;
  for (uint32_t count : chunks) {
    trial.counts[Symbol::tokens] = {count};
    trial.set(q, part(r.q, keys, first, count));
    trial.set(bias, part(r.bias, biases, first, count));
    trial.set(k, part(r.k, keys, first, count));
    trial.set(v, part(r.v, values, first, count));
    trial.set(own_k, part(r.own_k, keys, first, count));
    trial.set(own_v, part(r.own_v, values, first, count));
    trial.run();
    const std::vector<float> result = trial.result(out);
    all.insert(all.end(), result.begin(), result.end());
    first += count;
  }
  return all;
}

std::string refusal(const Shape& s, uint32_t state_heads = 2, uint32_t biases = 16, bool own = false, size_t inputs = 2,
                    schema::StateKind kind = schema::StateKind::token) {
  Trial trial;
  const uint32_t state = trial.state(state_heads, 4, 4, kind);
  const std::vector<float> none;
  const uint32_t q = trial.input(none, 8), bias = trial.input(none, biases), k = trial.input(none, state_heads * 4),
                 out = trial.output(s.heads * s.value_width);
  trial.operation<schema::Append>([&](auto& builder) { return schema::CreateAppend(builder, state); }, {k, k}, {});
  std::vector<uint32_t> in = {q, bias, q, q};
  in.resize(inputs);
  trial.operation<schema::NgramAttention>(
      [&](auto& builder) { return schema::CreateNgramAttention(builder, state, s.heads, s.key_width, s.value_width, 1, s.distance, own); },
      in, {out});
  trial.wants(out);
  return trial.verify().message();
}

bool says(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("rows see the stored positions with their own biases, and predicting rows a key of their own besides") {
  for (const Shape& s : {Shape{2, 8, 8, 8, 20}, {3, 5, 7, 32, 128}, {1, 20, 4, 2, 3}})
    for (bool own : {false, true}) {
      const size_t count = 150;
      const Given rows(s, count);
      const std::vector<float> want = expected(s, rows, count, own);
      for (kernels::Level level : {kernels::Level::portable, kernels::best().level}) {
        const std::vector<float> got = computed(s, rows, {count}, own, 1, level);
        REQUIRE(got.size() == want.size());
        for (size_t i = 0; i < got.size(); ++i) REQUIRE(std::fabs(got[i] - want[i]) <= 3e-5 * (1 + std::fabs(want[i])));
      }
    }
}

TEST_CASE("chunks and threads do not change a bit of it") {
  const Shape s{3, 10, 12, 8, 40};
  const size_t count = 140;
  const Given rows(s, count);
  for (auto encoding : {kernels::StateEncoding::f32, kernels::StateEncoding::f16, kernels::StateEncoding::int8})
    for (bool own : {false, true}) {
      const std::vector<float> whole = computed(s, rows, {140}, own, 1, kernels::best().level, encoding);
      for (const std::vector<uint32_t>& chunks : {std::vector<uint32_t>{64, 76}, {1, 2, 137}, {100, 40}}) {
        const std::vector<float> cut = computed(s, rows, chunks, own, 3, kernels::best().level, encoding);
        REQUIRE(cut.size() == whole.size());
        CHECK(std::memcmp(cut.data(), whole.data(), whole.size() * sizeof(float)) == 0);
      }
    }
}

TEST_CASE("what does not fit together is refused") {
  const Shape s{2, 4, 4, 8, 20};
  CHECK(refusal(s) == "");
  CHECK(refusal(s, 2, 16, true, 4) == "");
  CHECK(says(refusal(s, 3), "3 heads"));
  CHECK(says(refusal(s, 2, 15), "15 biases"));
  CHECK(says(refusal(s, 2, 2), "2 biases"));
  CHECK(says(refusal(s, 2, 16, true, 2), "2 inputs, expected 4"));
  CHECK(says(refusal({2, 4, 4, 8, 4}), "distance of 4"));
  CHECK(says(refusal({2, 4, 4, 8, 1u << 30}), "distance"));
  CHECK(says(refusal({2, 4, 5, 8, 20}), "4 columns"));
}
