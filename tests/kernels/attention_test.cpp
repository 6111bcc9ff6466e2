#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/half.h"
#include "kernels/linear_cases.h"

namespace linnet::test {
namespace {

using kernels::AttentionKernels;
using kernels::kBlockPositions;
using kernels::StateEncoding;
using kernels::StateRows;

constexpr StateEncoding kEncodings[] = {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8};
constexpr size_t kWidths[] = {1, 3, 8, 16, 20, 33, 64, 80, 128, 131};

size_t row_bytes(size_t width, StateEncoding encoding) {
  return encoding == StateEncoding::f32 ? width * 4 : encoding == StateEncoding::f16 ? width * 2 : width;
}

/// 64 stored rows before a page that faults, and the numbers they stand for.
struct Stored {
  Stored(size_t width, StateEncoding encoding, uint64_t seed)
      : memory(kBlockPositions * row_bytes(width, encoding), 1),
        scales(kBlockPositions),
        numbers(kBlockPositions * width),
        rows{memory.bytes(), row_bytes(width, encoding), scales.data(), encoding} {
    Random random(seed);
    for (size_t j = 0; j < kBlockPositions; ++j) {
      scales[j] = 0.01f + 0.02f * std::fabs(random.real());
      for (size_t i = 0; i < width; ++i) {
        uint8_t* to = memory.bytes() + j * rows.stride;
        const float x = random.real();
        float& number = numbers[j * width + i];
        if (encoding == StateEncoding::int8) {
          const int8_t step = static_cast<int8_t>(random.integer(-127, 127));
          to[i] = static_cast<uint8_t>(step);
          number = static_cast<float>(step) * scales[j];
        } else if (encoding == StateEncoding::f16) {
          const uint16_t half = core::half_from_float(x);
          std::memcpy(to + i * 2, &half, 2);
          number = core::float_from_half(half);
        } else {
          std::memcpy(to + i * 4, &x, 4);
          number = x;
        }
      }
    }
  }
  Guarded memory;
  std::vector<float> scales, numbers;
  StateRows rows;
};

std::vector<float> numbers(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> all(count);
  for (float& x : all) x = random.real();
  return all;
}

}  // namespace

TEST_CASE("scores are scaled products of queries and keys, and leave the others alone") {
  for (kernels::Level level : levels())
    for (StateEncoding encoding : kEncodings)
      for (size_t width : kWidths)
        for (size_t queries : {1, 2, 3, 5, 8})
          for (const auto& [first, last] : {std::pair<size_t, size_t>{0, 64}, {0, 1}, {13, 14}, {5, 42}, {63, 64}}) {
            CAPTURE(kernels::name(level));
            CAPTURE(width);
            const Stored keys(width, encoding, width);
            const auto q = numbers(queries * (width + 2), 1);
            std::vector<float> scores(queries * kBlockPositions, -7.0f);
            kernels::table(level).attention.scores(q.data(), width + 2, queries, width, keys.rows, first, last, 0.25f, scores.data());
            for (size_t r = 0; r < queries; ++r)
              for (size_t j = 0; j < kBlockPositions; ++j) {
                const float got = scores[r * kBlockPositions + j];
                if (j < first || j >= last) {
                  REQUIRE(got == -7.0f);
                  continue;
                }
                double sum = 0, size = 0;
                for (size_t i = 0; i < width; ++i) {
                  const double product = static_cast<double>(q[r * (width + 2) + i]) * static_cast<double>(keys.numbers[j * width + i]);
                  sum += product;
                  size += std::fabs(product);
                }
                REQUIRE(std::fabs(got - 0.25 * sum) <= 1e-6 * size + 1e-7);
              }
          }
}

TEST_CASE("weighted sums of values add to the rescaled row, key after key") {
  for (kernels::Level level : levels())
    for (StateEncoding encoding : kEncodings)
      for (size_t width : kWidths)
        for (size_t queries : {1, 2, 4, 7})
          for (const auto& [first, last] : {std::pair<size_t, size_t>{0, 64}, {0, 1}, {30, 33}, {63, 64}}) {
            CAPTURE(kernels::name(level));
            const Stored values(width, encoding, width + 1);
            const auto weights = numbers(queries * kBlockPositions, 2), rescale = numbers(queries, 3),
                       before = numbers(queries * (width + 1), 4);
            auto out = before;
            kernels::table(level).attention.accumulate(weights.data(), queries, values.rows, width, first, last, rescale.data(), out.data(),
                                                       width + 1);
            for (size_t r = 0; r < queries; ++r) {
              for (size_t i = 0; i < width; ++i) {
                double sum = static_cast<double>(before[r * (width + 1) + i]) * static_cast<double>(rescale[r]), size = std::fabs(sum);
                for (size_t j = first; j < last; ++j) {
                  const double product =
                      static_cast<double>(weights[r * kBlockPositions + j]) * static_cast<double>(values.numbers[j * width + i]);
                  sum += product;
                  size += std::fabs(product);
                }
                REQUIRE(std::fabs(out[r * (width + 1) + i] - sum) <= 1e-6 * size + 1e-7);
              }
              REQUIRE(out[r * (width + 1) + width] == before[r * (width + 1) + width]);
            }
          }
}

TEST_CASE("a query's scores and sums are the same bits alone and in company") {
  for (kernels::Level level : levels())
    for (StateEncoding encoding : kEncodings)
      for (size_t width : kWidths) {
        CAPTURE(kernels::name(level));
        const AttentionKernels& attention = kernels::table(level).attention;
        const Stored rows(width, encoding, width + 2);
        constexpr size_t kQueries = 7;
        const auto q = numbers(kQueries * width, 5), rescale = numbers(kQueries, 6), before = numbers(kQueries * width, 7);
        std::vector<float> together(kQueries * kBlockPositions), alone(kBlockPositions);
        attention.scores(q.data(), width, kQueries, width, rows.rows, 3, 60, 0.5f, together.data());
        auto sums = before;
        attention.accumulate(together.data(), kQueries, rows.rows, width, 3, 60, rescale.data(), sums.data(), width);
        for (size_t r = 0; r < kQueries; ++r) {
          attention.scores(q.data() + r * width, width, 1, width, rows.rows, 3, 60, 0.5f, alone.data());
          REQUIRE(std::memcmp(alone.data() + 3, together.data() + r * kBlockPositions + 3, 57 * sizeof(float)) == 0);
          std::vector<float> sum(before.begin() + static_cast<long>(r * width), before.begin() + static_cast<long>((r + 1) * width));
          attention.accumulate(together.data() + r * kBlockPositions, 1, rows.rows, width, 3, 60, rescale.data() + r, sum.data(), width);
          REQUIRE(std::memcmp(sum.data(), sums.data() + r * width, width * sizeof(float)) == 0);
        }
      }
}

TEST_CASE("softmax steps over blocks end in the softmax of all") {
  for (kernels::Level level : levels())
    for (size_t count : {1, 5, 16, 63, 64}) {
      CAPTURE(kernels::name(level));
      const AttentionKernels& attention = kernels::table(level).attention;
      auto first = numbers(64, 8), second = numbers(64, 9);
      for (float& score : second) score = 20 * score;
      const auto first_scores = first, second_scores = second;
      float maximum = -HUGE_VALF, sum = 0;
      CHECK(attention.softmax_step(first.data(), 64 - count, 64, &maximum, &sum) == 0.0f);
      const float rescale = attention.softmax_step(second.data(), 0, count, &maximum, &sum);
      double total = 0, most = -1e30;
      const auto each = [&](auto body) {
        for (size_t j = 0; j < count; ++j) {
          body(static_cast<double>(first_scores[64 - count + j]),
               static_cast<double>(first[64 - count + j]) * static_cast<double>(rescale));
          body(static_cast<double>(second_scores[j]), static_cast<double>(second[j]));
        }
      };
      each([&](double score, double) { most = std::max(most, score); });
      each([&](double score, double) { total += std::exp(score - most); });
      CHECK(static_cast<double>(maximum) == most);
      CHECK(sum == doctest::Approx(total).epsilon(2e-6));
      each([&](double score, double weight) {
        REQUIRE(std::fabs(weight - std::exp(score - most)) <= 2e-6 * std::exp(score - most) + 1e-30);
      });
    }
}

TEST_CASE("scores of minus infinity weigh nothing, even when there are no others") {
  for (kernels::Level level : levels()) {
    const AttentionKernels& attention = kernels::table(level).attention;
    std::vector<float> scores(64, -HUGE_VALF);
    float maximum = -HUGE_VALF, sum = 0;
    CHECK(attention.softmax_step(scores.data(), 0, 20, &maximum, &sum) == 1.0f);
    CHECK(sum == 0);
    for (size_t j = 0; j < 20; ++j) CHECK(scores[j] == 0);
  }
}

TEST_CASE("stored rows are the same bytes on every level") {
  for (kernels::Level level : levels())
    for (StateEncoding encoding : kEncodings)
      for (size_t width : kWidths)
        for (float size : {1.0f, 1e-30f, 1e-42f, 3e38f, 1000.0f}) {
          CAPTURE(kernels::name(level));
          CAPTURE(size);
          auto x = numbers(width, 10);
          for (float& number : x) number *= size;
          const Guarded got(row_bytes(width, encoding), 1), expected(row_bytes(width, encoding), 1);
          float scale = -1, expected_scale = -1;
          kernels::table(level).attention.store(x.data(), width, encoding, got.bytes(), &scale);
          kernels::table(kernels::Level::portable).attention.store(x.data(), width, encoding, expected.bytes(), &expected_scale);
          REQUIRE(std::memcmp(got.bytes(), expected.bytes(), row_bytes(width, encoding)) == 0);
          REQUIRE(scale == expected_scale);
        }
}

TEST_CASE("int8 rows are rounded steps of the largest number over 127; NaN is 0 and infinity the largest float") {
  for (kernels::Level level : levels()) {
    CAPTURE(kernels::name(level));
    const auto store = kernels::table(level).attention.store;
    const float x[4] = {-254, 127, 1, 3};  // steps of 2: halves go to even
    uint8_t row[4];
    float scale;
    store(x, 4, StateEncoding::int8, row, &scale);
    CHECK(scale == 2);
    CHECK(static_cast<int8_t>(row[0]) == -127);
    CHECK(static_cast<int8_t>(row[1]) == 64);
    CHECK(row[2] == 0);
    CHECK(row[3] == 2);
    const float wild[3] = {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -1};
    store(wild, 3, StateEncoding::int8, row, &scale);
    CHECK(scale == std::numeric_limits<float>::max() / 127);
    CHECK(row[0] == 0);
    CHECK(row[1] == 127);
    CHECK(row[2] == 0);
    const float zeros[3] = {0, -0.0f, 0};
    store(zeros, 3, StateEncoding::int8, row, &scale);
    CHECK(scale == 0);
    CHECK(row[1] == 0);
  }
}

}  // namespace linnet::test
