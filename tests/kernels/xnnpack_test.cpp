// XNNPACK's products: right, bit-equal for any number of rows, inside their planned memory, without an allocation.
#include "kernels/xnnpack.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/memory.h"

namespace linnet {
namespace {

namespace xnnpack = kernels::xnnpack;

constexpr size_t kTokens = 23;
constexpr uint8_t kCanary = 0xa5;

struct Shape {
  size_t rows, columns;
};
// Widths off every unit, one group of columns, matrices of one slice and of many.
constexpr Shape kShapes[] = {{32, 4}, {33, 20}, {64, 64}, {80, 80}, {131, 20}, {65, 1028}, {384, 384}, {1000, 132}, {70, 4100}, {2049, 8}};

bool absent() {
  if (xnnpack::available()) return false;
  MESSAGE("skipped: this build or processor has no XNNPACK whose rows are independent");
  return true;
}

std::vector<float> numbers(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> result(count);
  for (float& number : result) number = static_cast<float>(engine() % 20001) / 10000.0f - 1.0f;
  return result;
}

// A packed product in memory of exactly the planned size, with bytes behind it that must stay.
class Packed {
 public:
  Packed(const Shape& shape, const float* weights, const float* bias)
      : bytes_(static_cast<size_t>(xnnpack::packed_bytes(shape.rows, shape.columns))) {
    REQUIRE(bytes_ > 0);
    storage_.assign(bytes_ + 192, kCanary);
    REQUIRE(xnnpack::pack(weights, bias, shape.rows, shape.columns, memory()).ok());
  }
  ~Packed() { xnnpack::release(memory()); }
  uint8_t* memory() { return storage_.data() + (64 - reinterpret_cast<uintptr_t>(storage_.data()) % 64) % 64; }
  void run(size_t tokens, const float* x, float* y) {
    for (size_t i = 0; i < xnnpack::slices(memory()); ++i) xnnpack::run(memory(), i, tokens, x, y);
  }
  bool kept_inside() {
    for (uint8_t* behind = memory() + bytes_; behind < storage_.data() + storage_.size(); ++behind)
      if (*behind != kCanary) return false;
    return true;
  }

 private:
  size_t bytes_;
  std::vector<uint8_t> storage_;
};

TEST_CASE("XNNPACK's product with bias is the sum in double precision") {
  if (absent()) return;
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    const auto weights = numbers(shape.rows * shape.columns, 1), bias = numbers(shape.rows, 2), x = numbers(kTokens * shape.columns, 3);
    for (const float* added : {bias.data(), static_cast<const float*>(nullptr)}) {
      Packed packed(shape, weights.data(), added);
      std::vector<float> y(kTokens * shape.rows, NAN);
      packed.run(kTokens, x.data(), y.data());
      for (size_t m = 0; m < kTokens; ++m)
        for (size_t n = 0; n < shape.rows; ++n) {
          double sum = added ? added[n] : 0;
          for (size_t k = 0; k < shape.columns; ++k) sum += double{x[m * shape.columns + k]} * weights[n * shape.columns + k];
          REQUIRE(std::fabs(y[m * shape.rows + n] - sum) <= 1e-5 * std::sqrt(static_cast<double>(shape.columns)) * (1 + std::fabs(sum)));
        }
      CHECK(packed.kept_inside());
      CHECK(xnnpack::slices_run(packed.memory()) == xnnpack::slices(packed.memory()));
    }
  }
}

TEST_CASE("a row's result is the same bytes whatever rows come with it") {
  if (absent()) return;
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    const auto weights = numbers(shape.rows * shape.columns, 4), bias = numbers(shape.rows, 5), x = numbers(kTokens * shape.columns, 6);
    Packed packed(shape, weights.data(), bias.data());
    std::vector<float> all(kTokens * shape.rows, NAN);
    packed.run(kTokens, x.data(), all.data());
    for (size_t tokens = 1; tokens <= kTokens; ++tokens) {
      CAPTURE(tokens);
      for (size_t first = 0; first + tokens <= kTokens; first += 3) {
        std::vector<float> some(tokens * shape.rows, NAN);
        packed.run(tokens, x.data() + first * shape.columns, some.data());
        REQUIRE(std::memcmp(some.data(), all.data() + first * shape.rows, some.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("slices cover the output columns once, in order") {
  if (absent()) return;
  for (const Shape& shape : kShapes) {
    const auto weights = numbers(shape.rows * shape.columns, 7);
    Packed packed(shape, weights.data(), nullptr);
    size_t next = 0;
    for (size_t i = 0; i < xnnpack::slices(packed.memory()); ++i) {
      const xnnpack::Slice slice = xnnpack::slice(packed.memory(), i);
      CHECK(slice.first == next);
      CHECK(slice.count > 0);
      next += slice.count;
    }
    CHECK(next == shape.rows);
  }
}

TEST_CASE("NaN and infinity stay in their row, and stay what they are") {
  if (absent()) return;
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    const auto weights = numbers(shape.rows * shape.columns, 8);
    auto x = numbers(kTokens * shape.columns, 9);
    Packed packed(shape, weights.data(), nullptr);
    std::vector<float> clean(kTokens * shape.rows), y(kTokens * shape.rows);
    packed.run(kTokens, x.data(), clean.data());
    x[2 * shape.columns + 1] = NAN;
    x[4 * shape.columns + 3] = std::numeric_limits<float>::infinity();
    for (size_t tokens : {size_t{5}, kTokens}) {
      packed.run(tokens, x.data(), y.data());
      for (size_t i = 0; i < tokens * shape.rows; ++i) {
        const size_t row = i / shape.rows;
        REQUIRE((row == 2 ? std::isnan(y[i]) : row == 4 ? !std::isfinite(y[i]) : y[i] == clean[i]));
      }
    }
  }
}

// Memory that ends where a page ends that nobody may touch.
class Guarded {
 public:
  explicit Guarded(const std::vector<float>& source) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), bytes = source.size() * sizeof(float);
    size_ = (bytes + page - 1) / page * page + page;
    void* mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(mapped != MAP_FAILED);
    base_ = static_cast<uint8_t*>(mapped);
    REQUIRE(mprotect(base_ + size_ - page, page, PROT_NONE) == 0);
    data_ = reinterpret_cast<float*>(base_ + size_ - page - bytes);
    if (bytes) std::memcpy(data_, source.data(), bytes);
  }
  ~Guarded() { munmap(base_, size_); }
  float* data() { return data_; }

 private:
  uint8_t* base_ = nullptr;
  size_t size_ = 0;
  float* data_ = nullptr;
};

TEST_CASE("nothing behind the weights, the bias, the input or the output is touched") {
  if (absent()) return;
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.rows);
    Guarded weights(numbers(shape.rows * shape.columns, 10)), bias(numbers(shape.rows, 11));
    Packed packed(shape, weights.data(), bias.data());
    for (size_t tokens = 1; tokens <= kTokens; ++tokens) {
      Guarded x(numbers(tokens * shape.columns, 12)), y(std::vector<float>(tokens * shape.rows, NAN));
      packed.run(tokens, x.data(), y.data());
      CHECK(std::isfinite(y.data()[tokens * shape.rows - 1]));
    }
  }
}

size_t allocations = 0;
constexpr core::AllocationHooks kCounting = {[](size_t bytes) {
                                               ++allocations;
                                               return std::aligned_alloc(64, (bytes + 64) / 64 * 64);
                                             },
                                             [](void* memory) { std::free(memory); }};

TEST_CASE("packing and running allocate nothing: operators live in the planned memory too") {
  if (absent()) return;
  core::set_allocation_hooks(&kCounting);
  allocations = 0;
  for (const Shape& shape : kShapes) {
    const auto weights = numbers(shape.rows * shape.columns, 13), x = numbers(kTokens * shape.columns, 14);
    Packed packed(shape, weights.data(), nullptr);
    std::vector<float> y(kTokens * shape.rows);
    for (size_t tokens : {size_t{1}, kTokens, size_t{2}, size_t{7}}) packed.run(tokens, x.data(), y.data());
  }
  CHECK(allocations == 0);
  core::set_allocation_hooks(nullptr);
}

TEST_CASE("products that XNNPACK cannot take have no size") {
  CHECK(xnnpack::packed_bytes(0, 64) == 0);
  CHECK(xnnpack::packed_bytes(xnnpack::kFewestRows - 1, 64) == 0);
  CHECK(xnnpack::packed_bytes(64, 0) == 0);
  CHECK(xnnpack::packed_bytes(64, 37) == 0);
  CHECK(xnnpack::packed_bytes(64, uint64_t{1} << 33) == 0);
  CHECK(xnnpack::packed_bytes(UINT64_MAX, 64) == 0);
  CHECK(xnnpack::packed_bytes(UINT32_MAX, UINT32_MAX - 3) == 0);
  if (absent()) return;
  CHECK(xnnpack::packed_bytes(768, 768) >= 768 * 769 * sizeof(float));
  CHECK(xnnpack::packed_bytes(768, 768) <= 768 * 800 * sizeof(float));
}

}  // namespace
}  // namespace linnet
