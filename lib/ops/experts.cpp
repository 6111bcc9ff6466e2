// out = sum over a row's chosen experts of weight * (down_e h + bias), h = function(gate) * up.
//
// Pairs of a row and one of its experts are sorted by expert and worked on in tiles (experts.h). A row's sum is over rising numbers of
// experts: that order is the same whatever rows come with it, and needs no expert's result to be kept. Weights of experts that nobody chose
// are not touched.
#include "ops/experts.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "core/try.h"
#include "ops/products.h"

namespace linnet::ops {
namespace {

using kernels::kPanelRows;
using kernels::QuantizedRows;

constexpr size_t kGatheredPiece = 8;  // pairs

Status verify_bias(const VerifyContext& context, int32_t index, const char* what, const Tensor& weights) {
  if (index < 0) return {};
  LINNET_ASSIGN(const Tensor* bias, context.tensor(index, what, weights.count, weights.rows));
  if (bias->encoding == schema::Encoding::f32 && bias->count == 1) return {};
  return Status::error(Code::corrupt, "Experts: the %s \"%.*s\" holds %u x %s, expected one matrix of f32", what,
                       static_cast<int>(bias->name.size()), bias->name.data(), bias->count, schema::EnumNameEncoding(bias->encoding));
}

Status verify_matrices(const VerifyContext& context, const Tensor& gate_up, const Tensor& down) {
  const auto& options = context.node.as<schema::Experts>();
  LINNET_TRY(expect_factor("Experts", gate_up));
  LINNET_TRY(expect_factor("Experts", down));
  if (gate_up.count != down.count || gate_up.count > core::limits::kExperts)
    return Status::error(Code::corrupt, "Experts: %u and %u matrices, expected as many of each and at most %u", gate_up.count, down.count,
                         core::limits::kExperts);
  const uint64_t rows = uint64_t{down.columns} * (options.plain() ? 1 : 2);
  if (gate_up.rows != rows)
    return Status::error(Code::corrupt, "Experts: tensor \"%.*s\" has %u rows, expected %llu", static_cast<int>(gate_up.name.size()),
                         gate_up.name.data(), gate_up.rows, static_cast<unsigned long long>(rows));
  if (context.input(0).columns != gate_up.columns)
    return Status::error(Code::corrupt, "Experts: the input has %u columns, tensor \"%.*s\" takes %u", context.input(0).columns,
                         static_cast<int>(gate_up.name.size()), gate_up.name.data(), gate_up.columns);
  if (options.turn() != 0 && (!quantized(down) || !turnable(options.turn(), down.columns)))
    return Status::error(Code::corrupt, "Experts: a turn of %u columns at a time over %u of %s, expected a power of two from 16 to 256",
                         options.turn(), down.columns, schema::EnumNameEncoding(down.encoding));
  LINNET_TRY(verify_bias(context, options.gate_up_bias_tensor(), "bias of gate and up", gate_up));
  return verify_bias(context, options.down_bias_tensor(), "bias of down", down);
}

Status verify_choice(const VerifyContext& context, uint32_t experts) {
  LINNET_TRY(context.expect_type(1, schema::ValueType::index));
  LINNET_TRY(context.expect_type(2, schema::ValueType::f32));
  const Value &chosen = context.input(1), &weights = context.input(2);
  if (chosen.bound > experts)
    return Status::error(Code::corrupt, "Experts: experts below %u are chosen, but there are %u", chosen.bound, experts);
  if (chosen.columns != weights.columns)
    return Status::error(Code::corrupt, "Experts: %u experts with %u weights", chosen.columns, weights.columns);
  if (same_rows(chosen.rows, context.input(0).rows) && same_rows(weights.rows, context.input(0).rows)) return {};
  return Status::error(Code::corrupt, "Experts: expected one row of experts and of weights for each row of the input");
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Experts>();
  LINNET_TRY(context.expect_inputs(3));
  LINNET_ASSIGN(const Tensor* gate_up, context.tensor(options.gate_up_tensor(), "gate and up", 0, 0));
  LINNET_ASSIGN(const Tensor* down, context.tensor(options.down_tensor(), "down", 0, 0));
  if (!known(options.function()))
    return Status::error(Code::unsupported, "Experts: function %u is not part of this build", static_cast<unsigned>(options.function()));
  LINNET_TRY(verify_matrices(context, *gate_up, *down));
  LINNET_TRY(context.expect_type(0, quantized(*gate_up) ? schema::ValueType::q8 : schema::ValueType::f32));
  return verify_choice(context, gate_up->count);
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::Experts>();
  outputs[0] = context.input(0);
  outputs[0].type = schema::ValueType::f32;
  outputs[0].columns = context.tensors[static_cast<size_t>(options.down_tensor())].rows;
  outputs[0].bound = 0;
}

Scratch scratch(const PlanContext& context) {
  const ExpertShapes shapes(context.node.as<schema::Experts>(), context.tensors);
  const uint32_t chosen = context.node.inputs[1];
  const ExpertScratch parts(shapes, context.rows[chosen] * context.values[chosen].columns, context.kernels.linear);
  return {.shared = parts.shared, .per_worker = parts.per_worker};
}

class Runner {
 public:
  explicit Runner(const RunContext& context)
      : context_(context),
        options_(context.node.as<schema::Experts>()),
        shapes_(options_, context.tensors),
        slots_(context.values[context.node.inputs[1]].columns),
        pairs_(context.rows(context.node.inputs[1]) * slots_),
        parts_(shapes_, uint64_t{context.capacity[context.node.inputs[1]]} * slots_, context.kernels.linear),
        order_(at<uint32_t>(parts_.order)),
        runs_(at<ExpertRun>(parts_.runs)),
        h_(at<float>(parts_.h)),
        h_quantized_(kernels::quantized_rows_view(at<uint8_t>(parts_.h_quantized), parts_.tile, shapes_.inner)) {}

  void run() {
    sort();
    for (size_t first = 0; first < pairs_; first += parts_.tile) {
      fill_tile(first);
      gather();
      const size_t inner_pieces = (shapes_.inner + kInnerPiece - 1) / kInnerPiece;
      context_.parallel(run_count_ * inner_pieces, [&](size_t task, size_t worker) {
        gate_and_up(runs_[task / inner_pieces], task % inner_pieces * kInnerPiece, worker);
      });
      if (shapes_.down_quantized) context_.parallel(tile_pairs_, [&](size_t pair, size_t) { quantize(pair); });
      context_.parallel((shapes_.out + kOutPiece - 1) / kOutPiece,
                        [&](size_t piece, size_t worker) { down(piece * kOutPiece, first == 0, worker); });
    }
  }

 private:
  template <class Number>
  Number* at(size_t offset) const {
    return reinterpret_cast<Number*>(context_.shared_scratch + offset);
  }
  float* floats(size_t worker) const {
    return reinterpret_cast<float*>(context_.worker_scratch + worker * context_.scratch_per_worker + parts_.floats);
  }
  size_t row_of(size_t pair) const { return order_[first_ + pair] / slots_; }

  // A counting sort: pairs of one expert keep the order of their rows.
  void sort() {
    const int32_t* chosen = context_.index(context_.node.inputs[1]);
    uint32_t* starts = at<uint32_t>(parts_.starts);
    std::fill_n(starts, shapes_.count + 1, 0u);
    for (size_t i = 0; i < pairs_; ++i) ++starts[chosen[i] + 1];
    for (size_t e = 0; e < shapes_.count; ++e) starts[e + 1] += starts[e];
    for (size_t i = 0; i < pairs_; ++i) order_[starts[chosen[i]]++] = static_cast<uint32_t>(i);
  }

  void fill_tile(size_t first) {
    const int32_t* chosen = context_.index(context_.node.inputs[1]);
    first_ = first;
    tile_pairs_ = std::min(parts_.tile, pairs_ - first);
    run_count_ = 0;
    for (size_t i = 0; i < tile_pairs_; ++i) {
      const auto expert = static_cast<uint32_t>(chosen[order_[first + i]]);
      if (run_count_ == 0 || runs_[run_count_ - 1].expert != expert) runs_[run_count_++] = {expert, static_cast<uint32_t>(i), 0};
      ++runs_[run_count_ - 1].count;
    }
  }

  // Rows of x one behind the other, as products want them. An expert with one row reads it where it is.
  void gather() {
    if (run_count_ == tile_pairs_) return;
    const uint32_t input = context_.node.inputs[0];
    parallel_pieces(context_, tile_pairs_, kGatheredPiece, [&](size_t first, size_t last, size_t) {
      for (size_t i = first; i < last; ++i) {
        if (shapes_.gate_up_quantized)
          copy_row(kernels::from_row(context_.quantized(input), row_of(i)), kernels::from_row(gathered(), i));
        else
          std::memcpy(at<float>(parts_.x) + i * shapes_.hidden, context_.f32(input) + row_of(i) * shapes_.hidden,
                      shapes_.hidden * sizeof(float));
      }
    });
  }
  QuantizedRows gathered() const { return kernels::quantized_rows_view(at<uint8_t>(parts_.x), parts_.tile, shapes_.hidden); }

  static void copy_row(const QuantizedRows& from, const QuantizedRows& to) {
    std::memcpy(to.data, from.data, from.stride);
    std::memcpy(to.group_sum, from.group_sum, from.stride / kernels::kGroup * sizeof(int16_t));
    *to.scale = *from.scale;
    *to.row_sum = *from.row_sum;
  }

  /// x of one expert's rows, as the product with gate_up reads it.
  kernels::LinearTask input_of(const ExpertRun& run) const {
    const uint32_t input = context_.node.inputs[0];
    kernels::LinearTask task{};
    if (shapes_.gate_up_quantized)
      task.x = run.count == 1 ? kernels::from_row(context_.quantized(input), row_of(run.first)) : kernels::from_row(gathered(), run.first);
    else
      task.dense =
          run.count == 1 ? context_.f32(input) + row_of(run.first) * shapes_.hidden : at<float>(parts_.x) + run.first * shapes_.hidden;
    return task;
  }

  /// Rows [first, last) of an expert's matrix times its rows of x, to `out` [run.count, last - first].
  void product(kernels::LinearTask task, const ExpertRun& run, const Tensor& tensor, int32_t bias, size_t first, size_t last, float* out,
               size_t worker) const {
    task.weights = tensor.data + run.expert * (tensor.bytes / tensor.count);
    task.rows = tensor.rows;
    task.columns = task.dense_stride = tensor.columns;
    task.first_panel = first / kPanelRows;
    task.last_panel = kernels::panels(last);
    task.first_row = first;
    task.end_row = last;
    task.tokens = run.count;
    task.out = out;
    task.out_stride = last - first;
    if (bias >= 0) task.bias = numbers(context_.tensors, bias) + run.expert * size_t{tensor.rows} + first;
    task.scratch = context_.worker_scratch + worker * context_.scratch_per_worker;
    product_kernel(context_.kernels.linear, tensor.encoding)(task);
  }

  // Columns [first, first + kInnerPiece) of h.
  void gate_and_up(const ExpertRun& run, size_t first, size_t worker) const {
    const size_t last = std::min(first + kInnerPiece, shapes_.inner), width = last - first;
    float *gate = floats(worker), *up = gate + run.count * width;
    const kernels::LinearTask input = input_of(run);
    product(input, run, *shapes_.gate_up, options_.gate_up_bias_tensor(), first, last, gate, worker);
    if (!options_.plain())
      product(input, run, *shapes_.gate_up, options_.gate_up_bias_tensor(), shapes_.inner + first, shapes_.inner + last, up, worker);
    for (size_t m = 0; m < run.count; ++m) activate(gate + m * width, up + m * width, width, h_ + (run.first + m) * shapes_.inner + first);
  }

  void activate(float* gate, float* up, size_t count, float* out) const {
    const auto function = activation(options_.function());
    if (options_.plain()) return context_.kernels.vector.activate(function, gate, count, out);
    const float limit = options_.limit(), offset = options_.up_offset();
    for (size_t i = 0; limit > 0 && i < count; ++i) {
      gate[i] = gate[i] > limit ? limit : gate[i];
      up[i] = up[i] > limit ? limit : up[i] < -limit ? -limit : up[i];
    }
    for (size_t i = 0; offset != 0 && i < count; ++i) up[i] += offset;
    context_.kernels.vector.gate(function, gate, up, count, out);
  }

  void quantize(size_t pair) const {
    float* row = h_ + pair * shapes_.inner;
    if (options_.turn() != 0) context_.kernels.vector.turn(row, shapes_.inner, options_.turn(), row);
    context_.kernels.linear.quantize(row, shapes_.inner, 1, shapes_.inner, kernels::from_row(h_quantized_, pair));
  }

  // Columns [first, first + kOutPiece) of out. All experts of the tile are added by one worker, in order.
  void down(size_t first, bool is_first, size_t worker) const {
    const size_t last = std::min(first + kOutPiece, shapes_.out), width = last - first;
    const float* weights = context_.f32(context_.node.inputs[2]);
    float *out = context_.f32_out(context_.node.outputs[0]) + first, *y = floats(worker);
    for (size_t r = 0; is_first && r < pairs_ / slots_; ++r) std::fill_n(out + r * shapes_.out, width, 0.0f);
    for (const ExpertRun& run : std::span(runs_, run_count_)) {
      kernels::LinearTask task{};
      task.x = kernels::from_row(h_quantized_, run.first);
      task.dense = h_ + run.first * shapes_.inner;
      product(task, run, *shapes_.down, options_.down_bias_tensor(), first, last, y, worker);
      for (size_t m = 0; m < run.count; ++m) {
        float* to = out + row_of(run.first + m) * shapes_.out;
        context_.kernels.vector.add(to, y + m * width, weights[order_[first_ + run.first + m]], width, to);
      }
    }
  }

  const RunContext& context_;
  const schema::Experts& options_;
  const ExpertShapes shapes_;
  const size_t slots_, pairs_;  // experts of a row; of the call
  const ExpertScratch parts_;
  uint32_t* order_;  // pairs by expert: row * slots + slot
  ExpertRun* runs_;  // of the tile
  float* h_;
  QuantizedRows h_quantized_;
  size_t first_ = 0, tile_pairs_ = 0, run_count_ = 0;
};

void run(const RunContext& context) {
  if (context.rows(context.node.inputs[1]) > 0) Runner(context).run();
}

}  // namespace

const Operation experts_operation = {schema::Options::Experts, "operation:Experts", 1, verify, shape, scratch, run};

}  // namespace linnet::ops
