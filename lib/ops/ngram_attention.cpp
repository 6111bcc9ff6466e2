// ProphetNet's attention (arXiv 2001.04063): causal over token state, with a bias that every row brings itself for each bucket of
// distances. The rows of a predicting stream also see a key and a value of their own, which is the position that they predict from.
// A task is one row and head; it walks the blocks of 64 absolute positions in order, so that a result depends on its own row alone.
#include <cmath>
#include <cstring>
#include <limits>

#include "core/limits.h"
#include "core/try.h"
#include "ops/attention_plan.h"

namespace linnet::ops {
namespace {

using kernels::kBlockPositions;
using kernels::StateRows;
namespace limits = core::limits;

constexpr uint32_t kBuckets = 65536;
constexpr size_t kPieceRows = 4;

Status verify_state(const VerifyContext& context) {
  const auto& options = context.node.as<schema::NgramAttention>();
  if (options.state() >= context.states.size())
    return Status::error(Code::corrupt, "NgramAttention: state %u, but there are %zu", options.state(), context.states.size());
  const State& state = context.states[options.state()];
  const int length = static_cast<int>(state.name.size());
  if (state.kind != schema::StateKind::token || state.window != 0)
    return Status::error(Code::corrupt, "NgramAttention: state \"%.*s\" does not keep every position of the sequence", length,
                         state.name.data());
  if (state.heads != options.heads() || state.key_width != options.key_width() || state.value_width != options.value_width())
    return Status::error(Code::corrupt, "NgramAttention: state \"%.*s\" has %u heads of %u and %u columns, expected %u of %u and %u",
                         length, state.name.data(), state.heads, state.key_width, state.value_width, options.heads(), options.key_width(),
                         options.value_width());
  if (options.heads() == 0 || options.heads() > limits::kHeads || options.key_width() == 0 || options.key_width() > limits::kHeadWidth ||
      options.value_width() == 0 || options.value_width() > limits::kHeadWidth)
    return Status::error(Code::corrupt, "NgramAttention: %u heads of %u and %u columns, expected 1 to %u of 1 to %u", options.heads(),
                         options.key_width(), options.value_width(), limits::kHeads, limits::kHeadWidth);
  return std::isfinite(options.scale()) ? Status() : Status::error(Code::corrupt, "NgramAttention: the scale is not finite");
}

// 0 columns = any number.
Status verify_input(const VerifyContext& context, size_t input, const char* what, uint32_t columns) {
  LINNET_TRY(context.expect_type(input, schema::ValueType::f32));
  const Value& value = context.input(input);
  if (columns != 0 && value.columns != columns)
    return Status::error(Code::corrupt, "NgramAttention: the %s have %u columns, expected %u", what, value.columns, columns);
  if (is_symbol(value.rows, schema::Symbol::tokens)) return {};
  return Status::error(Code::corrupt, "NgramAttention: the %s do not have one row for each token", what);
}

Status verify_biases(const VerifyContext& context) {
  const auto& options = context.node.as<schema::NgramAttention>();
  LINNET_TRY(verify_input(context, 1, "biases", 0));
  const uint32_t columns = context.input(1).columns, buckets = columns / options.heads();
  if (columns % options.heads() != 0 || buckets < 2 || buckets > kBuckets)
    return Status::error(Code::corrupt, "NgramAttention: %u biases for %u heads, expected 2 to %u for each", columns, options.heads(),
                         kBuckets);
  if (options.relative_distance() > buckets / 2 && options.relative_distance() <= limits::kContext) return {};
  return Status::error(Code::corrupt, "NgramAttention: a relative distance of %u, expected %u to %u", options.relative_distance(),
                       buckets / 2 + 1, limits::kContext);
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::NgramAttention>();
  LINNET_TRY(context.expect_inputs(options.own_key() ? 4 : 2));
  LINNET_TRY(verify_state(context));
  LINNET_TRY(verify_input(context, 0, "queries", options.heads() * options.key_width()));
  LINNET_TRY(verify_biases(context));
  if (!options.own_key()) return {};
  LINNET_TRY(verify_input(context, 2, "own keys", options.heads() * options.key_width()));
  return verify_input(context, 3, "own values", options.heads() * options.value_width());
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::NgramAttention>();
  outputs[0] = context.input(0);
  outputs[0].columns = options.heads() * options.value_width();
}

Scratch scratch(const PlanContext&) { return {.shared = 0, .per_worker = kBlockPositions * sizeof(float)}; }

size_t constant_bytes(const PlanContext& context) {
  return (size_t{context.node.as<schema::NgramAttention>().relative_distance()} + 1) * sizeof(uint16_t);
}

Status prepare(const PlanContext& context, void* constant) {
  const auto& options = context.node.as<schema::NgramAttention>();
  bucket_table(context.values[context.node.inputs[1]].columns / options.heads(), options.relative_distance(),
               static_cast<uint16_t*>(constant));
  return {};
}

/// One row and head on its way over the keys.
struct Walk {
  const RunContext& context;
  const schema::NgramAttention& options;
  const float* query;
  const float* bias;  // [bucket][heads], from the head on
  float* scores;      // [64]
  float* out;
  float maximum = -std::numeric_limits<float>::infinity(), sum = 0;

  /// Keys [0, count), of which the first is `distance` away and each next one nearer.
  void see(const StateRows& keys, const StateRows& values, size_t count, size_t distance) {
    const auto& kernels = context.kernels.attention;
    const uint16_t* buckets = static_cast<const uint16_t*>(context.constant);
    kernels.scores(query, options.key_width(), 1, options.key_width(), keys, 0, count, options.scale(), scores);
    for (size_t j = 0; j < count; ++j)
      scores[j] += bias[size_t{buckets[std::min<size_t>(distance - j, options.relative_distance())]} * options.heads()];
    const float rescale = kernels.softmax_step(scores, 0, count, &maximum, &sum);
    kernels.accumulate(scores, 1, values, options.value_width(), 0, count, &rescale, out, options.value_width());
  }
};

StateRows own_row(const float* row) { return {reinterpret_cast<const uint8_t*>(row), sizeof(float), nullptr, kernels::StateEncoding::f32}; }

void run_row(const RunContext& context, size_t row, size_t head, uint8_t* scratch) {
  const auto& options = context.node.as<schema::NgramAttention>();
  const std::span<const uint32_t> inputs = context.node.inputs;
  const uint32_t* starts = context.symbol_starts[static_cast<size_t>(schema::Symbol::tokens)];
  const auto sequence = static_cast<size_t>(std::upper_bound(starts, starts + context.sequences + 1, row) - starts - 1);
  const size_t heads = options.heads(), key_width = options.key_width(), value_width = options.value_width();
  const size_t position = context.first_position[sequence] + row - starts[sequence], at = row * heads + head;
  const float* biases = context.f32(inputs[1]) + row * context.values[inputs[1]].columns + head;
  Walk walk{context,
            options,
            context.f32(inputs[0]) + at * key_width,
            biases,
            reinterpret_cast<float*>(scratch),
            context.f32_out(context.node.outputs[0]) + at * value_width};
  std::memset(walk.out, 0, value_width * sizeof(float));
  const size_t further = options.own_key() ? 1 : 0;
  if (options.own_key())
    walk.see(own_row(context.f32(inputs[2]) + at * key_width), own_row(context.f32(inputs[3]) + at * value_width), 1, 0);
  const StateLayout& layout = context.layouts[options.state()];
  const StatePages& pages = context.pages[options.state() * context.sequences + sequence];
  for (size_t first = 0; first <= position; first += kBlockPositions) {
    const uint8_t* page = pages.pages[first / kBlockPositions];
    walk.see(key_rows(layout, page, head), value_rows(layout, page, head), std::min(kBlockPositions, position + 1 - first),
             position - first + further);
  }
  context.kernels.vector.scale(walk.out, walk.sum == 0 ? 0.0f : 1 / walk.sum, value_width, walk.out);
}

void run(const RunContext& context) {
  const size_t heads = context.node.as<schema::NgramAttention>().heads();
  parallel_pieces(context, context.rows(context.node.inputs[0]) * heads, kPieceRows, [&](size_t first, size_t last, size_t worker) {
    for (size_t i = first; i < last; ++i)
      run_row(context, i / heads, i % heads, context.worker_scratch + worker * context.scratch_per_worker);
  });
}

}  // namespace

const Operation ngram_attention_operation = {
    schema::Options::NgramAttention, "operation:NgramAttention", 1, verify, shape, scratch, run, constant_bytes, prepare};

}  // namespace linnet::ops
