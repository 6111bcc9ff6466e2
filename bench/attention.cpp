// Attention at the shapes of real models: microseconds, GFLOPS (scores and weighted sums) and GB/s of keys and values read.
//   bench_attention [--levels avx2,...] [--depths 128,1024,4096] [--encodings f32,f16,int8]
// "decode": one query token over `depth` positions, every kv head; "prefill": 128 query tokens behind `depth` - 128. One thread, the
// best of many repetitions. The walk over blocks is that of lib/ops/attention.cpp without its bookkeeping.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace {

using namespace linnet;
using kernels::kBlockPositions;
using kernels::StateEncoding;

struct Shape {
  const char* model;
  size_t heads, kv_heads, width;
};
constexpr Shape kShapes[] = {
    {"qwen2.5-0.5b", 14, 2, 64}, {"llama3.2-1b", 32, 8, 64}, {"qwen3-0.6b", 16, 8, 128}, {"minilm-l6", 12, 12, 32}};

struct Options {
  std::string levels, encodings;
  std::vector<size_t> depths = {128, 1024, 4096};
};

bool listed(const std::string& list, const char* name) {
  return list.empty() || fmt::format(",{},", list).find(fmt::format(",{},", name)) != std::string::npos;
}

const char* name(StateEncoding encoding) {
  return encoding == StateEncoding::f32 ? "f32" : encoding == StateEncoding::f16 ? "f16" : "int8";
}
size_t number_bytes(StateEncoding encoding) { return encoding == StateEncoding::f32 ? 4 : encoding == StateEncoding::f16 ? 2 : 1; }

/// Keys and values of all kv heads, and one tile's worth of queries, scores and results.
struct Data {
  Data(const Shape& shape, StateEncoding encoding, size_t depth)
      : row(shape.width * number_bytes(encoding)),
        keys(shape.kv_heads * depth * row),
        values(keys.size()),
        scales(shape.kv_heads * depth, 0.01f),
        q(128 * shape.heads * shape.width, 0.1f),
        scores(128 * shape.heads * kBlockPositions),
        out(q.size()) {
    for (size_t i = 0; i < keys.size(); ++i) keys[i] = values[i] = static_cast<uint8_t>(encoding == StateEncoding::int8 ? i % 255 : 0x2c);
  }
  kernels::StateRows rows(const std::vector<uint8_t>& all, StateEncoding encoding, size_t head, size_t depth, size_t block) const {
    const size_t first = head * depth + block * kBlockPositions;
    return {all.data() + first * row, row, scales.data() + first, encoding};
  }
  size_t row;
  std::vector<uint8_t> keys, values;
  std::vector<float> scales, q, scores, out;
};

/// One pass of `tokens` query tokens, in tiles of at most 32 rows, over all blocks.
void pass(const kernels::AttentionKernels& attention, const Shape& shape, StateEncoding encoding, size_t depth, size_t tokens, Data& data) {
  const size_t group = shape.heads / shape.kv_heads, tile = std::max<size_t>(1, 32 / group);
  float maximum[64], sum[64], rescale[64];
  for (size_t head = 0; head < shape.kv_heads; ++head)
    for (size_t t = 0; t < tokens; t += tile) {
      const size_t rows = std::min(tile, tokens - t) * group;
      std::fill_n(maximum, rows, -1e30f);
      std::fill_n(sum, rows, 0.0f);
      for (size_t block = 0; block * kBlockPositions < depth; ++block) {
        const size_t last = std::min(kBlockPositions, depth - block * kBlockPositions);
        attention.scores(data.q.data(), shape.width, rows, shape.width, data.rows(data.keys, encoding, head, depth, block), 0, last, 0.125f,
                         data.scores.data());
        for (size_t r = 0; r < rows; ++r)
          rescale[r] = attention.softmax_step(data.scores.data() + r * kBlockPositions, 0, last, maximum + r, sum + r);
        attention.accumulate(data.scores.data(), rows, data.rows(data.values, encoding, head, depth, block), shape.width, 0, last, rescale,
                             data.out.data(), shape.width);
      }
    }
}

double best_seconds(auto&& body) {
  using clock = std::chrono::steady_clock;
  double best = 1e9;
  const auto end = clock::now() + std::chrono::milliseconds(150);
  do {
    const auto start = clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(clock::now() - start).count());
  } while (clock::now() < end);
  return best;
}

void measure(kernels::Level level, const Shape& shape, StateEncoding encoding, size_t depth) {
  Data data(shape, encoding, depth);
  const auto& attention = kernels::table(level).attention;
  for (size_t tokens : {size_t{1}, size_t{128}}) {
    const double seconds = best_seconds([&] { pass(attention, shape, encoding, depth, tokens, data); });
    const double operations = 4.0 * static_cast<double>(tokens * shape.heads * shape.width * depth);
    const double bytes = 2.0 * static_cast<double>(shape.kv_heads * depth * data.row);
    fmt::print("{:12} {:14} {:5} {:8} {:6}  {:9.1f} us {:8.1f} GFLOPS {:7.1f} GB/s\n", kernels::name(level), shape.model, name(encoding),
               tokens == 1 ? "decode" : "prefill", depth, seconds * 1e6, operations / seconds * 1e-9, bytes / seconds * 1e-9);
  }
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string option = arguments[i], value = arguments[i + 1];
    if (option == "--levels")
      options.levels = value;
    else if (option == "--encodings")
      options.encodings = value;
    else if (option == "--depths") {
      options.depths.clear();
      for (size_t at = 0; at < value.size(); at = value.find(',', at) == std::string::npos ? value.size() : value.find(',', at) + 1)
        options.depths.push_back(std::max<size_t>(1, std::strtoul(value.c_str() + at, nullptr, 10)));
    } else {
      fmt::print(stderr, "bench_attention: unknown option {}\n", option);
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
    if (!kernels::available(level) || !listed(options.levels, kernels::name(level))) continue;
    for (const Shape& shape : kShapes)
      for (StateEncoding encoding : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
        if (!listed(options.encodings, name(encoding))) continue;
        for (size_t depth : options.depths) measure(level, shape, encoding, depth);
      }
  }
}
