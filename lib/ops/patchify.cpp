// Pictures cut into squares: what a convolution whose stride is its kernel's size multiplies, ready for a linear layer.
#include <cstring>

#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

namespace limits = core::limits;

uint64_t patches_of(const schema::Patchify& options) {
  return uint64_t{options.height() / options.patch()} * (options.width() / options.patch());
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Patchify>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const Value& pictures = context.input(0);
  if (options.patch() == 0 || options.patch() > options.height() || options.patch() > options.width() || options.channels() == 0)
    return Status::error(Code::corrupt, "Patchify: squares of %u out of %u channels of %u x %u, expected 1 to the picture's size",
                         options.patch(), options.channels(), options.height(), options.width());
  const uint64_t area = uint64_t{options.height()} * options.width();
  if (area > limits::kDenseColumns || area * options.channels() != pictures.columns)
    return Status::error(Code::corrupt, "Patchify: pictures of %u columns, expected %u channels of %u x %u", pictures.columns,
                         options.channels(), options.height(), options.width());
  if (pictures.rows.constant != 0) return Status::error(Code::corrupt, "Patchify: the input has rows that belong to no sequence");
  const uint64_t most = std::max(pictures.rows.multiply, pictures.rows.per_sequence);
  if (const uint64_t patches = patches_of(options); patches > limits::kRowFactor || patches * most > limits::kRowFactor)
    return Status::error(Code::corrupt, "Patchify: %llu squares of a picture, expected at most %u",
                         static_cast<unsigned long long>(patches), limits::kRowFactor);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::Patchify>();
  outputs[0] = context.input(0);
  outputs[0].columns = options.channels() * options.patch() * options.patch();
  outputs[0].rows.multiply *= static_cast<uint32_t>(patches_of(options));
  outputs[0].rows.per_sequence *= static_cast<uint32_t>(patches_of(options));
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Patchify>();
  const uint32_t input = context.node.inputs[0], output = context.node.outputs[0];
  const size_t side = options.patch(), height = options.height(), width = options.width(), across = width / side;
  const size_t patches = static_cast<size_t>(patches_of(options)), columns = context.values[output].columns;
  const float* pictures = context.f32(input);
  float* out = context.f32_out(output);
  parallel_pieces(context, context.rows(output), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) {
      const size_t patch = r % patches;
      const float* from =
          pictures + r / patches * options.channels() * height * width + patch / across * side * width + patch % across * side;
      float* to = out + r * columns;
      for (size_t channel = 0; channel < options.channels(); ++channel)
        for (size_t line = 0; line < side; ++line, to += side)
          std::memcpy(to, from + (channel * height + line) * width, side * sizeof(float));
    }
  });
}

}  // namespace

const Operation patchify_operation = {schema::Options::Patchify, "operation:Patchify", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
