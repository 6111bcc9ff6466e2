// Layer, RMS or L2 normalization over groups of columns.
#include "core/try.h"
#include "ops/adapted.h"

namespace linnet::ops {
namespace {

uint32_t width_of(const schema::Norm& options, uint32_t columns) { return options.width() ? options.width() : columns; }

// Weight and bias have one number for each column of a group, or of the whole row.
Status verify_numbers(const VerifyContext& context, int32_t index, const char* what, uint32_t width, uint32_t columns) {
  if (index < 0) return {};
  LINNET_ASSIGN(const Tensor* found, context.vector(index, what, 0));
  if (found->columns == width || found->columns == columns) return {};
  return Status::error(Code::corrupt, "Norm: the %s \"%.*s\" has %u numbers, expected %u or %u", what, static_cast<int>(found->name.size()),
                       found->name.data(), found->columns, width, columns);
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Norm>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (options.kind() > schema::NormKind::MAX)
    return Status::error(Code::unsupported, "Norm: kind %u is not part of this build", static_cast<unsigned>(options.kind()));
  const uint32_t columns = context.input(0).columns, width = width_of(options, columns);
  if (columns % width != 0) return Status::error(Code::corrupt, "Norm: groups of %u columns do not divide %u", width, columns);
  LINNET_TRY(verify_numbers(context, options.weight_tensor(), "weight", width, columns));
  if (options.bias_tensor() >= 0 && options.kind() != schema::NormKind::layer)
    return Status::error(Code::unsupported, "Norm: a bias with kind %s, expected layer", schema::EnumNameNormKind(options.kind()));
  if (options.weight_tensor() >= 0 && options.kind() == schema::NormKind::l2)
    return Status::error(Code::unsupported, "Norm: a weight with kind l2");
  return verify_numbers(context, options.bias_tensor(), "bias", width, columns);
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

struct Numbers {
  const float *weight, *bias;
};

void run_rows(const RunContext& context, size_t first_row, size_t rows, const Numbers& with) {
  const auto& options = context.node.as<schema::Norm>();
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns, width = width_of(options, context.values[input].columns);
  const float* x = context.f32(input) + first_row * columns;
  float* out = context.f32_out(context.node.outputs[0]) + first_row * columns;
  const auto whole_row = [&](int32_t tensor) { return tensor >= 0 && context.tensors[static_cast<size_t>(tensor)].columns == columns; };
  const size_t weight_step = whole_row(options.weight_tensor()) ? 1 : 0, bias_step = whole_row(options.bias_tensor()) ? 1 : 0;
  const auto& kernels = context.kernels.vector;
  parallel_pieces(context, rows, rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) {
      for (size_t c = 0; c < columns; c += width) {
        const float* from = x + r * columns + c;
        float* to = out + r * columns + c;
        const float* w = with.weight ? with.weight + c * weight_step : nullptr;
        if (options.kind() == schema::NormKind::layer) {
          kernels.layer_norm(from, width, options.epsilon(), w, with.bias ? with.bias + c * bias_step : nullptr, to);
        } else if (options.kind() == schema::NormKind::rms) {
          kernels.rms_norm(from, width, options.epsilon(), w, to);
        } else {
          kernels.l2_norm(from, width, options.epsilon(), to);
        }
      }
    }
  });
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Norm>();
  const uint32_t input = context.node.inputs[0];
  const auto with = [&](const AdapterFile* adapter) {
    return Numbers{numbers(context, options.weight_tensor(), adapter), numbers(context, options.bias_tensor(), adapter)};
  };
  if (!context.adapters) return run_rows(context, 0, context.rows(input), with(nullptr));
  const auto replaces = [&](const AdapterFile* adapter) -> const AdapterFile* {
    return adapter && (!adapter->targets_of(options.weight_tensor()).empty() || !adapter->targets_of(options.bias_tensor()).empty())
               ? adapter
               : nullptr;
  };
  for_each_stretch(context, input, replaces,
                   [&](size_t first, size_t rows, const AdapterFile* adapter) { run_rows(context, first, rows, with(adapter)); });
}

}  // namespace

const Operation norm_operation = {schema::Options::Norm, "operation:Norm", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
