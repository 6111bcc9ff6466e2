// Terms of a score by relative position: a query times a table of keys, a key times a table of queries (DeBERTa, arXiv 2006.03654).
// Which row of a table belongs to a pair depends on their distance alone, so that a few queries and a few keys need a short stretch of
// rows: each is multiplied once and the products are handed to the pairs. No score matrix exists.
#include <cmath>

#include "core/limits.h"
#include "core/try.h"
#include "ops/attention_plan.h"

namespace linnet::ops {
namespace {

using kernels::kBlockPositions;
using kernels::StateRows;

constexpr uint32_t kMostSpan = 32768;
constexpr size_t kMostQueries = 32;

Status verify_table(const VerifyContext& context, int32_t index, const char* what) {
  if (index < 0) return {};
  const auto& options = context.node.as<schema::Attention>();
  LINNET_ASSIGN(const Tensor* table, context.tensor(index, what, 2 * options.relative_span(), options.heads() * options.key_width()));
  const bool dense = table->encoding == schema::Encoding::f32 || table->encoding == schema::Encoding::f16;
  if (dense && table->count == 1) return {};
  return Status::error(Code::corrupt, "Attention: the %s \"%.*s\" are %u x %s, expected one matrix of f32 or f16", what,
                       static_cast<int>(table->name.size()), table->name.data(), table->count, schema::EnumNameEncoding(table->encoding));
}

// Row `row` and those behind it, of one head.
StateRows rows_of(const Tensor& table, const schema::Attention& options, size_t row, size_t head) {
  const bool half = table.encoding == schema::Encoding::f16;
  const size_t number = half ? sizeof(uint16_t) : sizeof(float), stride = table.columns * number;
  return {table.data + row * stride + head * options.key_width() * number, stride, nullptr,
          half ? kernels::StateEncoding::f16 : kernels::StateEncoding::f32};
}

}  // namespace

Status verify_relative_scores(const VerifyContext& context) noexcept {
  const auto& options = context.node.as<schema::Attention>();
  if (!has_relative_scores(options)) return {};
  if (options.state() >= 0 || options.reader() != schema::Reader::bidirectional || options.kv_heads() != options.heads() ||
      options.value_prefix() || options.relative_bias_tensor() >= 0 || !is_symbol(context.input(0).rows, schema::Symbol::tokens))
    return Status::error(
        Code::corrupt,
        "Attention: tables by relative position need a bidirectional reader of the call's tokens, keys for each head, and no "
        "relative bias");
  const uint32_t span = options.relative_span(), reach = options.relative_distance();
  if (span == 0 || span > kMostSpan)
    return Status::error(Code::corrupt, "Attention: a relative span of %u, expected 1 to %u", span, kMostSpan);
  if (reach != 0 && (span < 2 || reach > core::limits::kContext || reach - 1 <= span / 2))
    return Status::error(Code::corrupt, "Attention: a relative distance of %u with a span of %u, expected 0 or %u to %u", reach, span,
                         span / 2 + 2, core::limits::kContext);
  LINNET_TRY(verify_table(context, options.relative_keys_tensor(), "relative keys"));
  return verify_table(context, options.relative_queries_tensor(), "relative queries");
}

void relative_score_buckets(const schema::Attention& options, uint64_t distances, uint16_t* table) {
  const uint32_t span = options.relative_span(), middle = span / 2;
  const float reach = std::log(static_cast<float>((static_cast<double>(options.relative_distance()) - 1) / middle));
  for (uint64_t distance = 0; distance < distances; ++distance) {
    float bucket = static_cast<float>(distance);
    if (options.relative_distance() != 0 && distance > middle) {
      const float growth = std::log(static_cast<float>(distance) / static_cast<float>(middle)) / reach;
      bucket = std::ceil(growth * static_cast<float>(middle - 1)) + static_cast<float>(middle);
    }
    table[distance] = static_cast<uint16_t>(std::min(bucket, static_cast<float>(span)));
  }
}

void RelativeScores::add(const Stretch& s, float* products) const {
  const uint32_t span = options.relative_span();
  const size_t width = options.key_width();
  const float* key = reinterpret_cast<const float*>(s.key.data);
  const size_t key_stride = s.key.stride / sizeof(float);
  for (size_t from = s.seen.first; from < s.seen.last; from += kRelativeKeys) {
    const size_t to = std::min(s.seen.last, from + kRelativeKeys), keys_here = to - from;
    // The table's row of each distance i - j, from the smallest on.
    uint32_t row[kMostQueries + kRelativeKeys];
    const size_t distances = s.count + keys_here - 1;
    for (size_t d = 0; d < distances; ++d) {
      const size_t query = s.position + d, last_key = s.begin + to - 1;
      row[d] = query < last_key ? span - buckets[last_key - query] : std::min(span + buckets[query - last_key], 2 * span - 1);
    }
    const size_t end = row[distances - 1] + 1;
    for (size_t first = row[0]; first < end; first += kBlockPositions) {
      const size_t rows = std::min(kBlockPositions, end - first);
      const auto hand_out = [&](size_t by_query, size_t by_key) {
        for (size_t i = 0; i < s.count; ++i)
          for (size_t j = 0; j < keys_here; ++j)
            if (const size_t c = row[i + keys_here - 1 - j] - first; c < rows)
              s.scores[i * kBlockPositions + from + j] += products[(i * by_query + j * by_key) * kBlockPositions + c];
      };
      if (keys) {
        kernels.scores(s.query, width, s.count, width, rows_of(*keys, options, first, s.head), 0, rows, options.scale(), products);
        hand_out(1, 0);
      }
      if (queries) {
        kernels.scores(key + from * key_stride, key_stride, keys_here, width, rows_of(*queries, options, first, s.head), 0, rows,
                       options.scale(), products);
        hand_out(0, 1);
      }
    }
  }
}

}  // namespace linnet::ops
