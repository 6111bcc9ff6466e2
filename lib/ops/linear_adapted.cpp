#include "ops/linear_adapted.h"

#include "core/checked.h"

namespace linnet::ops {
namespace {

using format::Target;

uint64_t input_bytes(uint64_t rows, uint64_t columns) {
  return core::round_up(std::min<uint64_t>(rows, kAdaptedRows) * columns * sizeof(float), kernels::kLine);
}

class Adapted {
 public:
  Adapted(const RunContext& context, const Tensor& tensor, const Slice& slice, bool quantized)
      : context_(context),
        options_(context.node.as<schema::Linear>()),
        slice_(slice),
        columns_(tensor.columns),
        quantized_(quantized),
        input_(context.node.inputs[0]),
        out_(context.f32_out(context.node.outputs[0])) {}

  // The base's rows; where an adapter brings another matrix or bias, those. One pass over the weights for all that keep the base's.
  void products(void (*base)(const RunContext&, const BaseRows&)) const {
    const auto key = [&](const AdapterFile* adapter) -> const AdapterFile* {
      if (!adapter || !adapter->targets_of(options_.bias_tensor()).empty()) return adapter;
      return with_target(adapter, options_.tensor(), [&](const Target& target) { return replaces(target); });
    };
    for_each_stretch(context_, input_, key, [&](size_t first, size_t rows, const AdapterFile* adapter) {
      const float* bias = numbers(context_, options_.bias_tensor(), adapter);
      if (!adapter || !replaces_all(*adapter)) base(context_, {first, rows, bias, adapter != nullptr});
      if (adapter) replace(*adapter, first, rows, bias);
    });
  }

  void pairs() const {
    const auto key = [&](const AdapterFile* adapter) {
      return with_target(adapter, options_.tensor(), [&](const Target& target) { return adds(target); });
    };
    for_each_stretch(context_, input_, key, [&](size_t first, size_t rows, const AdapterFile* adapter) {
      if (!adapter) return;
      for_each_chunk(first, rows, [&](size_t at, size_t count, const float* x) {
        float* t = reinterpret_cast<float*>(context_.shared_scratch + (quantized_ ? input_bytes(context_.capacity[input_], columns_) : 0));
        for (const Target& target : adapter->targets_of(options_.tensor())) {
          if (!adds(target)) continue;
          down_projection(context_, target, x, columns_, count, t);
          add_up_projection(context_, target, t, count, 1, place(target, at));
        }
      });
    });
  }

 private:
  bool overlaps(const Target& target) const {
    return target.first_row < uint64_t{slice_.first} + slice_.rows && slice_.first < uint64_t{target.first_row} + target.rows;
  }
  bool adds(const Target& target) const { return target.kind == schema::TargetKind::low_rank && overlaps(target); }
  bool replaces(const Target& target) const { return target.replaces_for(schema::Use::linear) && overlaps(target); }
  bool replaces_all(const AdapterFile& adapter) const {
    for (const Target& target : adapter.targets_of(options_.tensor()))
      if (replaces(target) && target.first_row <= slice_.first && target.rows - (slice_.first - target.first_row) >= slice_.rows)
        return true;
    return false;
  }

  // Where the target's rows that this operation computes go, from row `first` of the output on.
  AdaptedOut place(const Target& target, size_t first) const {
    const size_t low = std::max(target.first_row, slice_.first);
    const size_t high = std::min(size_t{target.first_row} + target.rows, size_t{slice_.first} + slice_.rows);
    return {out_ + first * slice_.rows, slice_.rows, low - slice_.first, low - target.first_row, high - target.first_row};
  }

  void replace(const AdapterFile& adapter, size_t first, size_t rows, const float* bias) const {
    for_each_chunk(first, rows, [&](size_t at, size_t count, const float* x) {
      for (const Target& target : adapter.targets_of(options_.tensor())) {
        if (!replaces(target)) continue;
        const AdaptedOut out = place(target, at);
        replaced_product(context_, target.replacement, x, columns_, count, bias ? bias + out.column : nullptr, out);
      }
    });
  }

  template <class Work>
  void for_each_chunk(size_t first, size_t rows, Work&& work) const {
    for (size_t done = 0; done < rows; done += kAdaptedRows) {
      const size_t count = std::min(kAdaptedRows, rows - done), at = first + done;
      if (!quantized_) {
        work(at, count, context_.f32(input_) + at * columns_);
        continue;
      }
      float* x = reinterpret_cast<float*>(context_.shared_scratch);
      dequantize(context_, context_.quantized(input_), at, count, columns_, x);
      work(at, count, x);
    }
  }

  const RunContext& context_;
  const schema::Linear& options_;
  Slice slice_;
  size_t columns_;
  bool quantized_;
  uint32_t input_;
  float* out_;
};

}  // namespace

Scratch scratch_of_adapted(const PlanContext& context, const Tensor& tensor, bool quantized) {
  const uint64_t rows = context.rows[context.node.inputs[0]];
  return adapted_scratch(context, rows, quantized ? input_bytes(rows, tensor.columns) : 0);
}

void run_adapted(const RunContext& context, const Tensor& tensor, const Slice& slice, bool quantized,
                 void (*base)(const RunContext& context, const BaseRows& rows)) {
  const Adapted adapted(context, tensor, slice, quantized);
  adapted.products(base);
  adapted.pairs();
}

}  // namespace linnet::ops
