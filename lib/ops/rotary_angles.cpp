// Cosines and sines of each row's rotary angles. Three-axis rotary (Qwen3-VL) interleaves the angles of three positions; places in a
// picture turn one half by their row and the other by their column.
#include <cmath>

#include "core/try.h"
#include "ops/operations.h"
#include "ops/rotary_frequencies.h"

namespace linnet::ops {
namespace {

using schema::RotaryScaling;

constexpr uint32_t kAxes = 3;
constexpr uint32_t kPlaceColumns = 4;  // row, column, rows, columns

bool asks_length(const schema::RotaryAngles& options) {
  return options.scaling() == RotaryScaling::dynamic || options.scaling() == RotaryScaling::longrope;
}

bool positive(float number) { return std::isfinite(number) && number > 0; }

Status verify_scaling(const schema::RotaryAngles& options) {
  const char* name = schema::EnumNameRotaryScaling(options.scaling());
  if (options.scaling() > RotaryScaling::longrope)
    return Status::error(Code::unsupported, "RotaryAngles: scaling %u is not part of this build", static_cast<unsigned>(options.scaling()));
  if (options.width() == 0 || options.width() % 2 != 0)
    return Status::error(Code::corrupt, "RotaryAngles: a width of %u, expected an even number above 0", options.width());
  if (!positive(options.base()) || options.base() <= 1) return Status::error(Code::corrupt, "RotaryAngles: the base is not above 1");
  if (!std::isfinite(options.attention_factor())) return Status::error(Code::corrupt, "RotaryAngles: the attention factor is not finite");
  if (!positive(options.factor())) return Status::error(Code::corrupt, "RotaryAngles: the factor is not above 0");
  const bool needs_original = options.scaling() >= RotaryScaling::dynamic;
  if (needs_original && options.original_positions() == 0)
    return Status::error(Code::corrupt, "RotaryAngles: scaling %s needs original_positions above 0", name);
  if (options.scaling() == RotaryScaling::dynamic && options.width() == 2)
    return Status::error(Code::corrupt, "RotaryAngles: scaling dynamic needs a width above 2");
  if (options.scaling() == RotaryScaling::llama3 &&
      (!positive(options.low_frequency_factor()) || !positive(options.high_frequency_factor()) ||
       options.low_frequency_factor() >= options.high_frequency_factor()))
    return Status::error(Code::corrupt, "RotaryAngles: scaling llama3 needs 0 < low_frequency_factor < high_frequency_factor");
  if (options.scaling() == RotaryScaling::yarn && (!positive(options.beta_fast()) || !positive(options.beta_slow())))
    return Status::error(Code::corrupt, "RotaryAngles: scaling yarn needs beta_fast and beta_slow above 0");
  return {};
}

Status verify_grid(const schema::RotaryAngles& options, uint32_t position_columns) {
  const bool factors = options.short_factors_tensor() >= 0 || options.long_factors_tensor() >= 0;
  if (options.scaling() != RotaryScaling::none || factors || (options.sections() && options.sections()->size() != 0))
    return Status::error(Code::corrupt, "RotaryAngles: places of a picture with scaling, factors or sections, expected none");
  if (options.width() % 4 != 0 || position_columns != kPlaceColumns)
    return Status::error(Code::corrupt, "RotaryAngles: a width of %u over places of %u columns, expected a multiple of 4 over %u",
                         options.width(), position_columns, kPlaceColumns);
  return {};
}

Status verify_sections(const schema::RotaryAngles& options, uint32_t position_columns) {
  if (options.grid()) return verify_grid(options, position_columns);
  const auto* sections = options.sections();
  if (!sections || sections->size() == 0) {
    if (position_columns == 1) return {};
    return Status::error(Code::corrupt, "RotaryAngles: positions have %u columns, expected 1 without sections", position_columns);
  }
  uint64_t sum = 0;
  for (uint32_t section : *sections) sum += section;
  if (sections->size() != kAxes || sum != options.width() / 2 || position_columns != kAxes)
    return Status::error(Code::corrupt, "RotaryAngles: %u sections of %llu channel pairs over %u position columns, expected 3 of %u over 3",
                         sections->size(), static_cast<unsigned long long>(sum), position_columns, options.width() / 2);
  return {};
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::RotaryAngles>();
  LINNET_TRY(verify_scaling(options));
  LINNET_TRY(context.expect_inputs(asks_length(options) ? 2 : 1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::index));
  LINNET_TRY(verify_sections(options, context.input(0).columns));
  if (options.short_factors_tensor() >= 0)
    LINNET_TRY(context.vector(options.short_factors_tensor(), "short factors", options.width() / 2).status());
  if (options.long_factors_tensor() >= 0 || options.scaling() == RotaryScaling::longrope)
    LINNET_TRY(context.vector(options.long_factors_tensor(), "long factors", options.width() / 2).status());
  if (!asks_length(options)) return {};
  LINNET_TRY(context.expect_type(1, schema::ValueType::index));
  if (context.input(1).columns != 1 || !same_rows(context.input(0).rows, context.input(1).rows))
    return Status::error(Code::corrupt, "RotaryAngles: lengths have one column and as many rows as the positions");
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = {.type = schema::ValueType::f32,
                .columns = context.node.as<schema::RotaryAngles>().width(),
                .rows = context.input(0).rows,
                .bound = 0};
}

// Frequencies of this row: the file's, or longrope's second set, or dynamic ones made for the row's length.
struct FrequencyChoice {
  const schema::RotaryAngles& options;
  const float* prepared;  // [width / 2], longrope: then the long ones
  const float* factors;
  float* dynamic;               // this worker's [width / 2]
  uint32_t dynamic_length = 0;  // what `dynamic` was made for

  const float* of_length(uint32_t length) {
    if (!asks_length(options) || length <= options.original_positions()) return prepared;
    if (options.scaling() == RotaryScaling::longrope) return prepared + options.width() / 2;
    if (dynamic_length != length) dynamic_frequencies(options, length, factors, dynamic);
    dynamic_length = length;
    return dynamic;
  }
};

Scratch scratch(const PlanContext& context) {
  const auto& options = context.node.as<schema::RotaryAngles>();
  if (options.scaling() != RotaryScaling::dynamic) return {};
  return {.shared = 0, .per_worker = options.width() / 2 * sizeof(float)};
}

size_t constant_bytes(const PlanContext& context) {
  const auto& options = context.node.as<schema::RotaryAngles>();
  return (options.scaling() == RotaryScaling::longrope ? 2 : 1) * size_t{options.width() / 2} * sizeof(float);
}

Status prepare(const PlanContext& context, void* constant) {
  const auto& options = context.node.as<schema::RotaryAngles>();
  float* frequencies = static_cast<float*>(constant);
  rotary_frequencies(options, numbers(context.tensors, options.short_factors_tensor()), frequencies);
  if (options.scaling() == RotaryScaling::longrope)
    rotary_frequencies(options, numbers(context.tensors, options.long_factors_tensor()), frequencies + options.width() / 2);
  return {};
}

// Which of the positions turns channel pair i: time, except where height and width are woven in.
size_t axis_of(const schema::RotaryAngles& options, uint32_t i) {
  if (options.grid()) return i >= options.width() / 4;
  const auto* sections = options.sections();
  if (!sections || sections->size() == 0) return 0;
  const uint32_t axis = i % kAxes;
  return axis != 0 && i / kAxes < sections->Get(axis) ? axis : 0;
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::RotaryAngles>();
  const uint32_t input = context.node.inputs[0];
  const size_t axes = context.values[input].columns, half = options.width() / 2;
  const int32_t* positions = context.index(input);
  const int32_t* lengths = asks_length(options) ? context.index(context.node.inputs[1]) : nullptr;
  float* out = context.f32_out(context.node.outputs[0]);
  parallel_pieces(context, context.rows(input), std::max<size_t>(1, 256 / half), [&](size_t first, size_t last, size_t worker) {
    FrequencyChoice choice{options, static_cast<const float*>(context.constant), numbers(context.tensors, options.short_factors_tensor()),
                           reinterpret_cast<float*>(context.worker_scratch + worker * context.scratch_per_worker)};
    for (size_t r = first; r < last; ++r) {
      const float* frequencies = choice.of_length(lengths ? static_cast<uint32_t>(lengths[r]) : 0);
      float* cosines = out + r * 2 * half;
      for (uint32_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(positions[r * axes + axis_of(options, i)]) * frequencies[i];
        cosines[i] = std::cos(angle) * options.attention_factor();
        cosines[half + i] = std::sin(angle) * options.attention_factor();
      }
    }
  });
}

}  // namespace

const Operation rotary_angles_operation = {
    schema::Options::RotaryAngles, "operation:RotaryAngles", 1, verify, shape, scratch, run, constant_bytes, prepare};

}  // namespace linnet::ops
