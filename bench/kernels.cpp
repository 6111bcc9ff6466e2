// Every product kernel at every level that this processor runs: GOPS (2MKN / t) and GB/s of weights.
//   bench_kernels [--json] [--levels avx2,...] [--kernels int4,...] [--tokens 1,4,16,128]
// "hot": the same weights again and again; "cold": one matrix after another out of 256 MiB of them, as decoding reads them.
// One thread; processor time, the best of many repetitions of about a millisecond.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/memory.h"
#include "kernels/kernels.h"

namespace {

using namespace linnet;
using kernels::Level;

constexpr size_t kColdBytes = 256u << 20;

struct Shape {
  size_t columns, rows;
};
constexpr Shape kShapes[] = {{896, 4864}, {2048, 8192}};

struct Kernel {
  const char* name;
  void (*kernels::LinearKernels::*run)(const kernels::LinearTask&);
  bool quantized;
  size_t (*bytes)(size_t rows, size_t columns);
};
size_t four_bytes(size_t rows, size_t columns) { return rows * columns * 4; }
size_t two_bytes(size_t rows, size_t columns) { return rows * columns * 2; }
constexpr Kernel kKernels[] = {
    {"int8", &kernels::LinearKernels::int8, true, kernels::int8_matrix_bytes},
    {"int4", &kernels::LinearKernels::int4, true, kernels::int4_matrix_bytes},
    {"mxfp4", &kernels::LinearKernels::mxfp4, true, kernels::mxfp4_matrix_bytes},
    {"f32", &kernels::LinearKernels::f32, false, four_bytes},
    {"f16", &kernels::LinearKernels::f16, false, two_bytes},
    {"bf16", &kernels::LinearKernels::bf16, false, two_bytes},
};

struct Options {
  bool json = false;
  std::string levels, kernels;
  std::vector<size_t> tokens = {1, 4, 16, 128};
};

bool listed(const std::string& list, const char* name) {
  return list.empty() || fmt::format(",{},", list).find(fmt::format(",{},", name)) != std::string::npos;
}

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Best seconds of one call of `call` within about `budget` seconds.
template <class Call>
double best_time(Call&& call, double budget) {
  call();
  double start = processor_seconds();
  call();
  const double once = std::max(processor_seconds() - start, 1e-7);
  const int repeats = std::max(1, static_cast<int>(1e-3 / once));
  double best = 1e9;
  const double end = processor_seconds() + budget;
  do {
    start = processor_seconds();
    for (int i = 0; i < repeats; ++i) call();
    best = std::min(best, (processor_seconds() - start) / repeats);
  } while (processor_seconds() < end);
  return best;
}

/// Memory that ends with the program or earlier.
class Block {
 public:
  explicit Block(size_t bytes) : data_(static_cast<uint8_t*>(core::allocate(bytes))) {
    if (!data_) {
      fmt::print(stderr, "no memory for {} bytes\n", bytes);
      std::exit(1);
    }
    std::memset(data_, 0, bytes);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { core::release(data_); }
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_;
};

/// Plausible weights: any bytes for integers (scales as floats behind them), small floats for the dense encodings.
void fill(const Kernel& kernel, const Shape& shape, uint8_t* to, size_t bytes) {
  uint32_t state = 1;
  const auto random = [&] { return state = state * 1664525 + 1013904223; };
  if (!kernel.quantized) {
    const uint32_t one = kernel.bytes == four_bytes ? 0x3f000000 : 0x30003000;
    for (size_t i = 0; i + 4 <= bytes; i += 4) {
      const uint32_t word = one | (random() >> 16 & 0xff) * 0x10001;
      std::memcpy(to + i, &word, 4);
    }
    return;
  }
  for (size_t i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(random() >> 24);
  const bool bytewise = kernel.bytes == kernels::int8_matrix_bytes;
  const size_t panel = bytewise ? kernels::int8_panel_bytes(shape.columns) : kernels::int4_panel_bytes(shape.columns);
  for (size_t at = kernels::panels(shape.rows) * panel; at + 4 <= bytes; at += 4) {
    const float scale = 0.01f;
    std::memcpy(to + at, &scale, 4);
  }
}

struct Measured {
  double hot, cold;  // seconds
};

Measured measure(const kernels::LinearKernels& linear, const Kernel& kernel, const Shape& shape, size_t tokens, const Block& weights,
                 size_t stride, size_t copies) {
  const Block x(tokens * shape.columns * sizeof(float)), quantized(kernels::quantized_rows_bytes(tokens, shape.columns));
  const Block out(tokens * shape.rows * sizeof(float)), scratch(linear.scratch_bytes(tokens, shape.columns) + 64);
  float* numbers = reinterpret_cast<float*>(x.data());
  for (size_t i = 0; i < tokens * shape.columns; ++i) numbers[i] = static_cast<float>(i * 7 % 255) - 127.0f;
  kernels::LinearTask task{};
  task.rows = task.end_row = shape.rows;
  task.columns = shape.columns;
  task.last_panel = kernels::panels(shape.rows);
  task.tokens = tokens;
  task.x = kernels::quantized_rows_view(quantized.data(), tokens, shape.columns);
  linear.quantize(numbers, shape.columns, tokens, shape.columns, task.x);
  task.dense = numbers;
  task.dense_stride = shape.columns;
  task.out = reinterpret_cast<float*>(out.data());
  task.out_stride = shape.rows;
  task.scratch = scratch.data();
  task.weights = weights.data();
  const auto run = linear.*kernel.run;
  const double hot = best_time([&] { run(task); }, 0.15);
  size_t copy = 0;
  const double cold = best_time([&] {
    task.weights = weights.data() + copy * stride;
    copy = (copy + 1) % copies;
    run(task);
  }, 0.3);
  return {hot, cold};
}

void report(const Options& options, Level level, const Kernel& kernel, const Shape& shape, size_t tokens, size_t bytes, Measured time) {
  const double operations = 2.0 * static_cast<double>(tokens * shape.columns * shape.rows), size = static_cast<double>(bytes);
  if (options.json) {
    fmt::print("{{\"level\":\"{}\",\"kernel\":\"{}\",\"columns\":{},\"rows\":{},\"tokens\":{},\"hot_seconds\":{:.9f},\"cold_seconds\":{:.9f},"
               "\"hot_gops\":{:.1f},\"cold_gops\":{:.1f},\"hot_gbps\":{:.1f},\"cold_gbps\":{:.1f}}}\n",
               kernels::name(level), kernel.name, shape.columns, shape.rows, tokens, time.hot, time.cold, operations / time.hot * 1e-9,
               operations / time.cold * 1e-9, size / time.hot * 1e-9, size / time.cold * 1e-9);
  } else {
    fmt::print("{:<11} {:<5} {:>4}x{:<5} M={:<4} hot {:>8.1f} GOPS {:>7.1f} GB/s   cold {:>8.1f} GOPS {:>7.1f} GB/s\n", kernels::name(level),
               kernel.name, shape.columns, shape.rows, tokens, operations / time.hot * 1e-9, size / time.hot * 1e-9,
               operations / time.cold * 1e-9, size / time.cold * 1e-9);
  }
  std::fflush(stdout);
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    const bool valued = i + 1 < count;
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--levels" && valued) {
      options.levels = arguments[++i];
    } else if (argument == "--kernels" && valued) {
      options.kernels = arguments[++i];
    } else if (argument == "--tokens" && valued) {
      options.tokens.clear();
      for (char* at = arguments[++i]; *at; at += *at == ',') options.tokens.push_back(std::strtoul(at, &at, 10));
    } else {
      fmt::print(stderr, "usage: bench_kernels [--json] [--levels avx2,...] [--kernels int4,...] [--tokens 1,4,16,128]\n");
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  for (const Kernel& kernel : kKernels) {
    if (!listed(options.kernels, kernel.name)) continue;
    for (const Shape& shape : kShapes) {
      const size_t bytes = kernel.bytes(shape.rows, shape.columns), stride = (bytes + 63) / 64 * 64;
      const size_t copies = kColdBytes / stride + 1;
      const Block weights(stride * copies);
      fill(kernel, shape, weights.data(), bytes);
      for (size_t copy = 1; copy < copies; ++copy) std::memcpy(weights.data() + copy * stride, weights.data(), bytes);
      for (int number = 0; number < 32; ++number) {
        const Level level = static_cast<Level>(number);
        if (!kernels::available(level) || !listed(options.levels, kernels::name(level))) continue;
        for (size_t tokens : options.tokens)
          report(options, level, kernel, shape, tokens, bytes, measure(kernels::table(level).linear, kernel, shape, tokens, weights, stride, copies));
      }
    }
  }
}
