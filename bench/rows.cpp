// Row-wise kernels and the reading of tables at every level that this processor runs: nanoseconds for one row and GB/s of what it reads.
//   bench_rows [--levels avx2,...] [--kernels rms_norm,...] [--width 2048]
// One thread; processor time, the best of many repetitions.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace {

using namespace linnet;
using kernels::Activation;
using kernels::StateEncoding;

struct Options {
  std::string levels, kernels;
  size_t width = 2048;
};

bool listed(const std::string& list, const std::string& name) {
  return list.empty() || fmt::format(",{},", list).find(fmt::format(",{},", name)) != std::string::npos;
}

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double best_seconds(const std::function<void()>& call) {
  constexpr int kCalls = 200;
  double best = 1e9;
  const double end = processor_seconds() + 0.05;
  do {
    const double start = processor_seconds();
    for (int i = 0; i < kCalls; ++i) call();
    best = std::min(best, (processor_seconds() - start) / kCalls);
  } while (processor_seconds() < end);
  return best;
}

/// One row of every kind that the kernels take, and a small matrix of each encoding (zero bytes are valid in all of them).
struct Data {
  explicit Data(size_t width)
      : a(width), b(width, 0.5f), out(width), rounded(kernels::quantized_rows_bytes(1, width)), matrix(8 * (width + 64) * 4 + 4096) {
    for (size_t i = 0; i < width; ++i) a[i] = static_cast<float>(i % 13) * 0.25f - 1.5f;
  }
  const uint8_t* aligned() const { return matrix.data() + (64 - reinterpret_cast<uintptr_t>(matrix.data()) % 64) % 64; }
  std::vector<float> a, b, out;
  std::vector<uint8_t> rounded, matrix;
  float scale = 0;
};

struct Case {
  std::string name;
  size_t bytes;   // read by one call
  std::function<void()> call;
};

std::vector<Case> vector_cases(const kernels::VectorKernels& vector, Data& d) {
  const size_t n = d.a.size(), bytes = n * sizeof(float);
  const float *a = d.a.data(), *b = d.b.data();
  float* out = d.out.data();
  return {
      {"layer_norm", 3 * bytes, [=, &vector] { vector.layer_norm(a, n, 1e-5f, b, b, out); }},
      {"rms_norm", 2 * bytes, [=, &vector] { vector.rms_norm(a, n, 1e-5f, b, out); }},
      {"l2_norm", bytes, [=, &vector] { vector.l2_norm(a, n, 1e-12f, out); }},
      {"activate", bytes, [=, &vector] { vector.activate(Activation::gelu, a, n, out); }},
      {"gate", 2 * bytes, [=, &vector] { vector.gate(Activation::silu, a, b, n, out); }},
      {"add", 2 * bytes, [=, &vector] { vector.add(a, b, 1.0f, n, out); }},
      {"multiply", 2 * bytes, [=, &vector] { vector.multiply(a, b, 1.0f, n, out); }},
      {"scale", bytes, [=, &vector] { vector.scale(a, 0.5f, n, out); }},
      {"rotate", 2 * bytes, [=, &vector] { vector.rotate(a, n, b, b, n, false, out); }},
      {"turn", bytes, [=, &vector] { vector.turn(a, n, 64, out); }},
  };
}

std::vector<Case> table_cases(const kernels::Kernels& kernels, Data& d) {
  const size_t n = d.a.size();
  const auto& linear = kernels.linear;
  std::vector<Case> all = {
      {"quantize", n * 4, [&] { linear.quantize(d.a.data(), n, 1, n, kernels::quantized_rows_view(d.rounded.data(), 1, n)); }},
      {"store", n * 4, [&] { kernels.attention.store(d.a.data(), n, StateEncoding::int8, d.rounded.data(), &d.scale); }},
  };
  const auto row = [&](const char* name, auto kernel, size_t bytes) {
    all.push_back({name, bytes, [&d, n, kernel] { kernel(d.aligned(), 8, n, 3, d.out.data()); }});
  };
  row("row_f32", linear.row_f32, n * 4);
  row("row_f16", linear.row_f16, n * 2);
  row("row_bf16", linear.row_bf16, n * 2);
  row("row_int8", linear.row_int8, n);
  row("row_int4", linear.row_int4, n / 2);
  row("row_mxfp4", linear.row_mxfp4, n / 2);
  const auto transposed = [&](const char* name, auto kernel, size_t bytes) {
    all.push_back({name, bytes, [&d, n, kernel] {
                     kernel({.weights = d.aligned(), .rows = 8, .columns = n, .first_row = 0, .end_row = 8, .first_column = 0, .last_column = n,
                             .tokens = 1, .dense = d.a.data(), .dense_stride = 8, .out = d.out.data(), .out_stride = n});
                   }});
  };
  transposed("transposed_f32", linear.transposed_f32, 8 * n * 4);
  transposed("transposed_f16", linear.transposed_f16, 8 * n * 2);
  transposed("transposed_bf16", linear.transposed_bf16, 8 * n * 2);
  transposed("transposed_int8", linear.transposed_int8, 8 * n);
  transposed("transposed_int4", linear.transposed_int4, 8 * n / 2);
  transposed("transposed_mxfp4", linear.transposed_mxfp4, 8 * n / 2);
  return all;
}

void measure(const Options& options, kernels::Level level) {
  Data data(options.width);
  const auto& table = kernels::table(level);
  std::vector<Case> cases = vector_cases(table.vector, data);
  for (Case& one : table_cases(table, data)) cases.push_back(std::move(one));
  for (const Case& one : cases) {
    if (!listed(options.kernels, one.name)) continue;
    const double seconds = best_seconds(one.call);
    fmt::print("{:<11} {:<16} {:>6} {:>9.1f} ns {:>8.1f} GB/s\n", kernels::name(level), one.name, options.width, seconds * 1e9,
               static_cast<double>(one.bytes) / seconds * 1e-9);
  }
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string option = arguments[i], value = i + 1 < count ? arguments[i + 1] : "";
    if (option == "--levels" && !value.empty()) {
      options.levels = value;
    } else if (option == "--kernels" && !value.empty()) {
      options.kernels = value;
    } else if (option == "--width" && std::strtoul(value.c_str(), nullptr, 10) >= 64) {
      options.width = std::strtoul(value.c_str(), nullptr, 10) / 64 * 64;
    } else {
      fmt::print(stderr, "usage: bench_rows [--levels avx2,...] [--kernels rms_norm,...] [--width 2048]\n");
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  for (int number = 0; number < 32; ++number) {
    const auto level = static_cast<kernels::Level>(number);
    if (kernels::available(level) && listed(options.levels, kernels::name(level))) measure(options, level);
  }
}
