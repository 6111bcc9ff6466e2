#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "kernels/linear_cases.h"

namespace linnet::test {
namespace {

using kernels::Activation;
using kernels::VectorKernels;

constexpr size_t kCounts[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 131, 768};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Numbers right before a page that faults: a kernel that reads or writes past its row dies.
struct Row {
  explicit Row(size_t length, uint64_t seed = 0, float size = 3) : memory(length * sizeof(float), sizeof(float)), count(length) {
    Random random(seed + length);
    for (size_t i = 0; i < length; ++i) memory.floats()[i] = random.real() * size;
  }
  float* data() const { return memory.floats(); }
  float operator[](size_t i) const { return memory.floats()[i]; }
  Guarded memory;
  size_t count;
};

bool same_bits(const float* a, const float* b, size_t count) { return std::memcmp(a, b, count * sizeof(float)) == 0; }

void check_close(const Row& got, const std::function<double(size_t)>& expected, double relative, double absolute) {
  for (size_t i = 0; i < got.count; ++i) {
    CAPTURE(i);
    REQUIRE(std::fabs(got[i] - expected(i)) <= relative * std::fabs(expected(i)) + absolute);
  }
}

double exact(Activation function, double x) {
  const auto sigmoid = [](double y) { return 1 / (1 + std::exp(-y)); };
  switch (function) {
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case Activation::gelu_quick:
      return x * sigmoid(1.702 * x);
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::exp:
      return std::exp(x);
    case Activation::softplus:
      return std::log1p(std::exp(x));
    default:
      return x;
  }
}

constexpr Activation kActivations[] = {Activation::identity, Activation::gelu,    Activation::gelu_tanh, Activation::gelu_quick,
                                       Activation::silu,     Activation::relu,    Activation::tanh,      Activation::sigmoid,
                                       Activation::exp,      Activation::softplus};

}  // namespace

TEST_CASE("activations are near the exact functions over their whole range") {
  for (kernels::Level level : levels())
    for (Activation function : kActivations) {
      CAPTURE(kernels::name(level));
      CAPTURE(static_cast<int>(function));
      const size_t count = 40001;
      Row x(count), out(count);
      for (size_t i = 0; i < count; ++i) x.data()[i] = (static_cast<float>(i) - 20000) / 1000;  // -20 .. 20
      kernels::table(level).vector.activate(function, x.data(), count, out.data());
      const bool product = function == Activation::gelu || function == Activation::gelu_tanh || function == Activation::gelu_quick;
      for (size_t i = 0; i < count; ++i) {
        const double expected = exact(function, static_cast<double>(x[i]));
        // gelu subtracts nearly equal numbers for x far below 0: there the error is measured against x.
        const double allowed =
            product ? 2e-7 * (std::fabs(expected) + std::fabs(static_cast<double>(x[i]))) : 1e-6 * std::fabs(expected) + 1e-37;
        CAPTURE(x[i]);
        REQUIRE(std::fabs(out[i] - expected) <= allowed);
      }
    }
}

TEST_CASE("tanh and exp keep their relative precision for small and large arguments") {
  for (kernels::Level level : levels()) {
    CAPTURE(kernels::name(level));
    for (float magnitude = 1e-30f; magnitude < 87; magnitude *= 1.37f)
      for (float sign : {1.0f, -1.0f}) {
        const float x = sign * magnitude;
        float out;
        CAPTURE(x);
        kernels::table(level).vector.activate(Activation::tanh, &x, 1, &out);
        REQUIRE(std::fabs(out - std::tanh(static_cast<double>(x))) <= 1e-6 * std::fabs(std::tanh(static_cast<double>(x))));
        kernels::table(level).vector.activate(Activation::exp, &x, 1, &out);
        REQUIRE(std::fabs(out - std::exp(static_cast<double>(x))) <= 1e-6 * std::exp(static_cast<double>(x)));
      }
  }
}

TEST_CASE("activations of NaN are NaN and of infinities what their limits are") {
  for (kernels::Level level : levels()) {
    CAPTURE(kernels::name(level));
    const auto of = [&](Activation function, float x) {
      float out;
      kernels::table(level).vector.activate(function, &x, 1, &out);
      return out;
    };
    for (Activation function : kActivations) {
      CAPTURE(static_cast<int>(function));
      CHECK(std::isnan(of(function, kNan)));
    }
    CHECK(of(Activation::exp, kInfinity) == kInfinity);
    CHECK(of(Activation::exp, 100) == kInfinity);
    CHECK(of(Activation::exp, -kInfinity) == 0);
    CHECK(of(Activation::exp, -120) == 0);
    CHECK(of(Activation::exp, -90) == doctest::Approx(8.19401262e-40).epsilon(0.01));  // denormal
    CHECK(of(Activation::tanh, kInfinity) == 1);
    CHECK(of(Activation::tanh, -kInfinity) == -1);
    CHECK(of(Activation::sigmoid, -kInfinity) == 0);
    CHECK(of(Activation::sigmoid, kInfinity) == 1);
    CHECK(of(Activation::gelu, kInfinity) == kInfinity);
    CHECK(of(Activation::relu, -kInfinity) == 0);
    CHECK(of(Activation::relu, kInfinity) == kInfinity);
  }
}

TEST_CASE("a number's activation is the same bits wherever it stands in a row, and in place") {
  for (kernels::Level level : levels())
    for (Activation function : kActivations)
      for (size_t count : kCounts) {
        const VectorKernels& vector = kernels::table(level).vector;
        Row x(count, 1), up(count, 2), out(count), one(1), gated(count);
        vector.activate(function, x.data(), count, out.data());
        vector.gate(function, x.data(), up.data(), count, gated.data());
        for (size_t i = 0; i < count; ++i) {
          vector.activate(function, x.data() + i, 1, one.data());
          REQUIRE(same_bits(one.data(), out.data() + i, 1));
          REQUIRE(gated[i] == one[0] * up[i]);
        }
        vector.activate(function, x.data(), count, x.data());
        REQUIRE(same_bits(x.data(), out.data(), count));
      }
}

TEST_CASE("sums, products, scaling, rotations and turns are the same bits on every level") {
  const VectorKernels& portable = kernels::table(kernels::Level::portable).vector;
  for (kernels::Level level : levels()) {
    CAPTURE(kernels::name(level));
    const VectorKernels& vector = kernels::table(level).vector;
    for (size_t count : kCounts) {
      Row a(count, 3), b(count, 4), out(count), expected(count);
      vector.add(a.data(), b.data(), -1.7f, count, out.data());
      for (size_t i = 0; i < count; ++i) REQUIRE(out[i] == a[i] + -1.7f * b[i]);
      vector.multiply(a.data(), b.data(), 0.3f, count, out.data());
      for (size_t i = 0; i < count; ++i) REQUIRE(out[i] == a[i] * (0.3f * b[i]));
      vector.scale(a.data(), 0.7f, count, out.data());
      for (size_t i = 0; i < count; ++i) REQUIRE(out[i] == 0.7f * a[i]);
      for (bool pairs : {false, true})
        for (size_t width = 2; width <= count; width += 2) {
          const Row cosines(width / 2, 5), sines(width / 2, 6);
          vector.rotate(a.data(), count, cosines.data(), sines.data(), width, pairs, out.data());
          portable.rotate(a.data(), count, cosines.data(), sines.data(), width, pairs, expected.data());
          REQUIRE(same_bits(out.data(), expected.data(), count));
        }
    }
    for (size_t block : {16, 32, 64, 128, 256}) {
      Row x(3 * block, 7), out(3 * block), expected(3 * block);
      vector.turn(x.data(), x.count, block, out.data());
      portable.turn(x.data(), x.count, block, expected.data());
      REQUIRE(same_bits(out.data(), expected.data(), x.count));
      vector.turn(x.data(), x.count, block, x.data());
      REQUIRE(same_bits(out.data(), x.data(), x.count));
    }
  }
}

TEST_CASE("a rotation turns the pair (i, i + half) or (2i, 2i + 1) and copies the rest") {
  for (kernels::Level level : levels()) {
    const VectorKernels& vector = kernels::table(level).vector;
    const float x[5] = {1, 2, 3, 4, 5}, cosines[2] = {0, 0.5f}, sines[2] = {1, 2};
    float out[5];
    vector.rotate(x, 5, cosines, sines, 4, false, out);
    const float halves[5] = {-3, 2 * 0.5f - 4 * 2, 1, 4 * 0.5f + 2 * 2, 5};
    CHECK(same_bits(out, halves, 5));
    vector.rotate(x, 5, cosines, sines, 4, true, out);
    const float pairs[5] = {-2, 1, 3 * 0.5f - 4 * 2, 4 * 0.5f + 3 * 2, 5};
    CHECK(same_bits(out, pairs, 5));
  }
}

TEST_CASE("a turn is the product with the Sylvester-Hadamard matrix") {
  for (kernels::Level level : levels())
    for (size_t block : {16, 64, 256}) {
      Row x(block, 8), out(block);
      kernels::table(level).vector.turn(x.data(), block, block, out.data());
      check_close(
          out,
          [&](size_t row) {
            double sum = 0;
            for (size_t i = 0; i < block; ++i) sum += (__builtin_popcountll(row & i) % 2 ? -1.0 : 1.0) * static_cast<double>(x[i]);
            return sum / std::sqrt(static_cast<double>(block));
          },
          1e-6, 1e-5);
    }
}

TEST_CASE("norms follow their formulas with and without weights and biases, in place too") {
  for (kernels::Level level : levels())
    for (size_t count : kCounts) {
      CAPTURE(kernels::name(level));
      CAPTURE(count);
      const VectorKernels& vector = kernels::table(level).vector;
      Row x(count, 9), weight(count, 10), bias(count, 11), out(count);
      double mean = 0, square = 0, variance = 0;
      for (size_t i = 0; i < count; ++i) mean += static_cast<double>(x[i]) / static_cast<double>(count);
      for (size_t i = 0; i < count; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      for (size_t i = 0; i < count; ++i) variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(count);
      const auto normal = [&](size_t i) { return (x[i] - mean) / std::sqrt(variance + 1e-3); };
      const auto root = [&](size_t i) { return x[i] / std::sqrt(square / static_cast<double>(count) + 1e-3); };
      vector.layer_norm(x.data(), count, 1e-3f, weight.data(), bias.data(), out.data());
      check_close(
          out, [&](size_t i) { return normal(i) * weight[i] + bias[i]; }, 2e-6, 3e-6);
      vector.layer_norm(x.data(), count, 1e-3f, nullptr, bias.data(), out.data());
      check_close(
          out, [&](size_t i) { return normal(i) + bias[i]; }, 2e-6, 3e-6);
      vector.layer_norm(x.data(), count, 1e-3f, nullptr, nullptr, out.data());
      check_close(out, normal, 2e-6, 3e-6);
      vector.rms_norm(x.data(), count, 1e-3f, weight.data(), out.data());
      check_close(
          out, [&](size_t i) { return root(i) * weight[i]; }, 2e-6, 1e-7);
      vector.rms_norm(x.data(), count, 1e-3f, nullptr, out.data());
      check_close(out, root, 2e-6, 1e-7);
      vector.l2_norm(x.data(), count, 1e-12f, out.data());
      check_close(
          out, [&](size_t i) { return x[i] / std::sqrt(square); }, 2e-6, 1e-7);
      Row copy(count);
      std::memcpy(copy.data(), x.data(), count * sizeof(float));
      vector.layer_norm(copy.data(), count, 1e-3f, weight.data(), bias.data(), copy.data());
      vector.layer_norm(x.data(), count, 1e-3f, weight.data(), bias.data(), out.data());
      CHECK(same_bits(copy.data(), out.data(), count));
    }
}

TEST_CASE("the l2 norm of a zero row is zero, not a division by it") {
  for (kernels::Level level : levels()) {
    const float x[3] = {0, 0, 0};
    float out[3] = {1, 1, 1};
    kernels::table(level).vector.l2_norm(x, 3, 1e-12f, out);
    CHECK(out[0] == 0);
    CHECK(out[2] == 0);
  }
}

}  // namespace linnet::test
