// What is added to scores before the softmax: ALiBi (Press et al. 2022), T5's relative bias (Raffel et al. 2020), soft-caps (Gemma 2).
#include <cmath>

#include "core/half.h"
#include "core/limits.h"
#include "core/try.h"
#include "ops/attention_plan.h"

namespace linnet::ops {
namespace {

constexpr uint32_t kBuckets = 65536;

float round_bfloat16(float x) { return core::float_from_bfloat16(core::bfloat16_from_float(x)); }

bool both_directions(const schema::Attention& options) { return options.reader() == schema::Reader::bidirectional; }

}  // namespace

Status verify_bias(const VerifyContext& context) noexcept {
  const auto& options = context.node.as<schema::Attention>();
  if (!(options.softcap() >= 0) || !std::isfinite(options.softcap()))
    return Status::error(Code::corrupt, "Attention: the soft-cap is below 0");
  if (options.sinks_tensor() >= 0) LINNET_TRY(context.vector(options.sinks_tensor(), "sinks", options.heads()).status());
  if (options.slopes_tensor() >= 0) LINNET_TRY(context.vector(options.slopes_tensor(), "slopes", options.heads()).status());
  if (options.absolute_slopes() && options.slopes_tensor() < 0)
    return Status::error(Code::corrupt, "Attention: absolute_slopes without slopes");
  if (options.relative_bias_tensor() < 0) return {};
  LINNET_ASSIGN(const Tensor* table, context.tensor(options.relative_bias_tensor(), "relative bias", 0, options.heads()));
  const uint32_t exact = both_directions(options) ? table->rows / 4 : table->rows / 2;
  if (table->encoding != schema::Encoding::f32 || table->count != 1 || exact == 0 || table->rows > kBuckets)
    return Status::error(Code::corrupt,
                         "Attention: the relative bias \"%.*s\" is %u x %s of %u buckets, expected one matrix of f32 with 4 to %u",
                         static_cast<int>(table->name.size()), table->name.data(), table->count, schema::EnumNameEncoding(table->encoding),
                         table->rows, kBuckets);
  if (options.relative_distance() <= exact || options.relative_distance() > core::limits::kContext)
    return Status::error(Code::corrupt, "Attention: a relative distance of %u, expected %u to %u", options.relative_distance(), exact + 1,
                         core::limits::kContext);
  return {};
}

size_t relative_bucket_bytes(const schema::Attention& options) {
  return options.relative_bias_tensor() < 0 ? 0 : (size_t{options.relative_distance()} + 1) * sizeof(uint16_t);
}

// Half the buckets stand for single distances, the others for ranges that grow with the logarithm, the last for all beyond.
void bucket_table(uint32_t buckets, uint32_t most, uint16_t* table) {
  const uint32_t exact = buckets / 2;
  const float span = std::log(static_cast<float>(most) / static_cast<float>(exact));
  for (uint32_t distance = 0; distance <= most; ++distance) {
    uint32_t bucket = distance;
    if (distance >= exact) {
      const float growth = std::log(static_cast<float>(distance) / static_cast<float>(exact)) / span;
      bucket = std::min(buckets - 1, exact + static_cast<uint32_t>(growth * static_cast<float>(buckets - exact)));
    }
    table[distance] = static_cast<uint16_t>(bucket);
  }
}

void relative_buckets(const schema::Attention& options, uint32_t buckets, uint16_t* table) {
  bucket_table(both_directions(options) ? buckets / 2 : buckets, options.relative_distance(), table);
}

void Bias::apply(float* scores, size_t block, size_t first, size_t last, size_t position, size_t head) const {
  if (options.softcap() > 0) {
    kernels.scale(scores + first, 1 / options.softcap(), last - first, scores + first);
    kernels.activate(kernels::Activation::tanh, scores + first, last - first, scores + first);
    kernels.scale(scores + first, options.softcap(), last - first, scores + first);
  }
  if (!slopes && !relative) return;
  for (size_t j = first; j < last; ++j) {
    const size_t key = block + j, distance = key > position ? key - position : position - key;
    if (slopes && options.absolute_slopes())
      scores[j] += options.scale() * round_bfloat16(slopes[head] * round_bfloat16(static_cast<float>(key)));
    else if (slopes)
      scores[j] -= slopes[head] * static_cast<float>(distance);
    if (!relative) continue;
    uint32_t bucket = 0;
    if (both_directions(options) || key < position) bucket = bucket_table[std::min<size_t>(distance, options.relative_distance())];
    if (both_directions(options) && key > position) bucket += buckets / 2;
    scores[j] += relative[bucket * options.heads() + head];
  }
}

}  // namespace linnet::ops
