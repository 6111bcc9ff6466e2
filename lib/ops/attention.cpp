// Softmax attention over this call's own rows or over pages of state. A task is a few query rows of one key/value head: it walks
// the blocks of 64 absolute positions that they see, in order, with a running maximum and sum for each row. Rows never mix, so that
// a row's result depends on its own query and on the keys it sees alone: not on threads, batch neighbours or how a prompt was cut.
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

constexpr size_t kTileRows = 32;  // query rows of a task: tokens x heads of the group

size_t group_of(const schema::Attention& options) { return options.heads() / options.kv_heads(); }
size_t tile_tokens(const schema::Attention& options) { return std::max<size_t>(1, kTileRows / group_of(options)); }

Status verify_widths(const schema::Attention& options) {
  namespace limits = core::limits;
  if (options.heads() == 0 || options.heads() > limits::kHeads || options.kv_heads() == 0 || options.heads() % options.kv_heads() != 0)
    return Status::error(Code::corrupt, "Attention: %u heads over %u key/value heads, expected a multiple and at most %u", options.heads(),
                         options.kv_heads(), limits::kHeads);
  if (options.key_width() == 0 || options.key_width() > limits::kHeadWidth || options.value_width() == 0 ||
      options.value_width() > limits::kHeadWidth)
    return Status::error(Code::corrupt, "Attention: keys of %u and values of %u columns, expected 1 to %u", options.key_width(),
                         options.value_width(), limits::kHeadWidth);
  if (options.value_prefix() && options.value_width() > options.key_width())
    return Status::error(Code::corrupt, "Attention: a value of %u columns cannot be a prefix of a key of %u", options.value_width(),
                         options.key_width());
  if (!std::isfinite(options.scale())) return Status::error(Code::corrupt, "Attention: the scale is not finite");
  return {};
}

Status verify_input(const VerifyContext& context, size_t input, const char* what, uint32_t columns) {
  LINNET_TRY(context.expect_type(input, schema::ValueType::f32));
  const Value& value = context.input(input);
  if (value.columns != columns)
    return Status::error(Code::corrupt, "Attention: the %s have %u columns, expected %u", what, value.columns, columns);
  const auto& options = context.node.as<schema::Attention>();
  // Where every query sees all keys and nothing depends on distance, a sequence may have other numbers of them.
  const bool free = options.reader() == schema::Reader::bidirectional && options.slopes_tensor() < 0 && options.relative_bias_tensor() < 0;
  if (!same_rows(value.rows, context.input(free && input > 0 ? 1 : 0).rows))
    return Status::error(Code::corrupt, "Attention: the %s have other rows than the %s", what, free ? "keys" : "queries");
  if (value.rows.constant != 0) return Status::error(Code::corrupt, "Attention: the %s have rows that belong to no sequence", what);
  return {};
}

Status verify_state(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  if (static_cast<size_t>(options.state()) >= context.states.size())
    return Status::error(Code::corrupt, "Attention: state %d, but there are %zu", options.state(), context.states.size());
  const State& state = context.states[static_cast<size_t>(options.state())];
  const int length = static_cast<int>(state.name.size());
  if (state.kind != schema::StateKind::token && state.kind != schema::StateKind::source)
    return Status::error(Code::corrupt, "Attention: state \"%.*s\" is not one of positions", length, state.name.data());
  const uint32_t values = options.value_prefix() ? 0 : options.value_width();
  if (state.heads != options.kv_heads() || state.key_width != options.key_width() || state.value_width != values)
    return Status::error(Code::corrupt, "Attention: state \"%.*s\" has %u heads of %u and %u columns, expected %u of %u and %u", length,
                         state.name.data(), state.heads, state.key_width, state.value_width, options.kv_heads(), options.key_width(),
                         values);
  if (!is_symbol(context.input(0).rows, schema::Symbol::tokens))
    return Status::error(Code::corrupt, "Attention: queries of state \"%.*s\" do not have one row for each token", length,
                         state.name.data());
  return {};
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  LINNET_TRY(verify_widths(options));
  const bool own = options.state() < 0;
  LINNET_TRY(context.expect_inputs(!own ? 1 : options.value_prefix() ? 2 : 3));
  LINNET_TRY(verify_input(context, 0, "queries", options.heads() * options.key_width()));
  if (own) {
    LINNET_TRY(verify_input(context, 1, "keys", options.kv_heads() * options.key_width()));
    if (!options.value_prefix()) LINNET_TRY(verify_input(context, 2, "values", options.kv_heads() * options.value_width()));
  } else {
    LINNET_TRY(verify_state(context));
  }
  LINNET_TRY(verify_reader(context));
  return verify_bias(context);
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::Attention>();
  outputs[0] = context.input(0);
  outputs[0].columns = options.heads() * options.value_width();
}

/// One worker's memory for a tile of query rows.
struct Tile {
  float* queries;                  // [rows][key_width]
  float* scores;                   // [rows][64]
  float* out;                      // [rows][value_width]
  float *maximum, *sum, *rescale;  // [rows]

  static size_t floats(const schema::Attention& options, size_t rows) {
    return rows * (options.key_width() + kBlockPositions + options.value_width() + 3);
  }
  Tile(const schema::Attention& options, size_t rows, uint8_t* memory) {
    queries = reinterpret_cast<float*>(memory);
    scores = queries + rows * options.key_width();
    out = scores + rows * kBlockPositions;
    maximum = out + rows * options.value_width();
    sum = maximum + rows;
    rescale = sum + rows;
  }
};

Scratch scratch(const PlanContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  const size_t rows = tile_tokens(options) * group_of(options);
  const size_t sequences = static_cast<size_t>(context.limits[static_cast<size_t>(schema::Symbol::sequences)]);
  return {.shared = (sequences + 1) * sizeof(uint32_t), .per_worker = Tile::floats(options, rows) * sizeof(float)};
}

size_t constant_bytes(const PlanContext& context) { return relative_bucket_bytes(context.node.as<schema::Attention>()); }

Status prepare(const PlanContext& context, void* constant) {
  const auto& options = context.node.as<schema::Attention>();
  if (options.relative_bias_tensor() >= 0)
    relative_buckets(options, context.tensors[static_cast<size_t>(options.relative_bias_tensor())].rows, static_cast<uint16_t*>(constant));
  return {};
}

/// Keys and values of one sequence and head, block by block.
struct Source {
  const schema::Attention& options;
  const StateLayout* layout = nullptr;  // state: pages
  const StatePages* pages = nullptr;
  const float* keys = nullptr;  // this call's rows: position 0 of the sequence, head 0
  const float* values = nullptr;
  size_t head = 0;

  StateRows rows(const float* base, size_t width, size_t block) const {
    const size_t columns = options.kv_heads() * width;
    const float* first = base + block * kBlockPositions * columns + head * width;
    return {reinterpret_cast<const uint8_t*>(first), columns * sizeof(float), nullptr, kernels::StateEncoding::f32};
  }
  StateRows keys_of(size_t block) const {
    if (pages) return key_rows(*layout, pages->pages[block - pages->first_page], head);
    return rows(keys, options.key_width(), block);
  }
  StateRows values_of(size_t block) const {
    if (options.value_prefix()) return keys_of(block);
    if (pages) return value_rows(*layout, pages->pages[block - pages->first_page], head);
    return rows(values, options.value_width(), block);
  }
};

/// One task: query tokens [first, first + tokens) of a sequence, all heads of one group.
struct Walk {
  const RunContext& context;
  const schema::Attention& options;
  const Bias& bias;
  const Source source;
  const Reach reach;
  const Tile tile;
  size_t group, first_position, tokens;

  Visible visible(size_t token) const {
    Visible seen = reach.of(first_position + token);
    if (source.pages) seen.first = std::max<size_t>(seen.first, size_t{source.pages->first_page} * kBlockPositions);
    return seen;
  }
  void start(const float* q, size_t q_stride) const;
  void block(size_t index) const;
  void finish(float* out, size_t out_stride) const;
};

// A sink is a first logit without a value: the running softmax begins with it instead of with nothing.
void Walk::start(const float* q, size_t q_stride) const {
  const float* sinks = numbers(context.tensors, options.sinks_tensor());
  const size_t width = options.key_width();
  for (size_t t = 0; t < tokens; ++t) std::memcpy(tile.queries + t * group * width, q + t * q_stride, group * width * sizeof(float));
  for (size_t row = 0; row < tokens * group; ++row) {
    tile.maximum[row] = sinks ? sinks[source.head * group + row % group] : -std::numeric_limits<float>::infinity();
    tile.sum[row] = sinks ? 1.0f : 0.0f;
  }
  std::memset(tile.out, 0, tokens * group * options.value_width() * sizeof(float));
}

void Walk::block(size_t index) const {
  const auto& kernels = context.kernels.attention;
  const size_t begin = index * kBlockPositions, key_width = options.key_width(), value_width = options.value_width();
  const StateRows keys = source.keys_of(index), values = source.values_of(index);
  const auto within = [&](size_t token) {
    const Visible seen = visible(token);
    return Visible{std::clamp(seen.first, begin, begin + kBlockPositions) - begin,
                   std::clamp(seen.last, begin, begin + kBlockPositions) - begin};
  };
  // Tokens that see the same stretch of the block go through the kernels together.
  for (size_t t = 0, next; t < tokens; t = next) {
    const Visible seen = within(t);
    for (next = t + 1; next < tokens; ++next)
      if (const Visible other = within(next); other.first != seen.first || other.last != seen.last) break;
    if (seen.first >= seen.last) continue;
    const size_t row = t * group, rows = (next - t) * group;
    float* scores = tile.scores + row * kBlockPositions;
    kernels.scores(tile.queries + row * key_width, key_width, rows, key_width, keys, seen.first, seen.last, options.scale(), scores);
    for (size_t r = 0; r < rows; ++r) {
      float* line = scores + r * kBlockPositions;
      if (bias.any()) bias.apply(line, begin, seen.first, seen.last, first_position + t + r / group, source.head * group + r % group);
      tile.rescale[row + r] = kernels.softmax_step(line, seen.first, seen.last, tile.maximum + row + r, tile.sum + row + r);
    }
    kernels.accumulate(scores, rows, values, value_width, seen.first, seen.last, tile.rescale + row, tile.out + row * value_width,
                       value_width);
  }
}

// A row that saw nothing is zero.
void Walk::finish(float* out, size_t out_stride) const {
  const size_t width = options.value_width();
  for (size_t row = 0; row < tokens * group; ++row) {
    const float factor = tile.sum[row] == 0 ? 0.0f : 1 / tile.sum[row];
    context.kernels.vector.scale(tile.out + row * width, factor, width, out + row / group * out_stride + row % group * width);
  }
}

/// Everything that is the same for all tasks of a call.
struct Call {
  const RunContext& context;
  const schema::Attention& options;
  const Bias bias;
  const uint32_t* tile_starts;  // [sequence + 1]: tiles of the sequences before

  void task(size_t index, size_t worker) const;
};

void Call::task(size_t index, size_t worker) const {
  const size_t tile_index = index / options.kv_heads(), head = index % options.kv_heads();
  const size_t sequence = static_cast<size_t>(
      std::upper_bound(tile_starts, tile_starts + context.sequences + 1, static_cast<uint32_t>(tile_index)) - tile_starts - 1);
  const size_t group = group_of(options), most = tile_tokens(options), key_width = options.key_width();
  const Span span = context.span(context.node.inputs[0], sequence);
  const Span own = options.state() < 0 ? context.span(context.node.inputs[1], sequence) : span;
  const size_t first = (tile_index - tile_starts[sequence]) * most, tokens = std::min(most, span.count - first);

  Source source{.options = options, .head = head};
  size_t start = 0, keys = own.count;
  if (options.state() >= 0) {
    const size_t state = static_cast<size_t>(options.state());
    source.layout = &context.layouts[state];
    source.pages = &context.pages[state * context.sequences + sequence];
    start = context.first_position[sequence];
    keys = context.states[state].kind == schema::StateKind::token ? start + span.count : source.pages->length;
  } else {
    source.keys = context.f32(context.node.inputs[1]) + own.first * options.kv_heads() * key_width;
    if (!options.value_prefix())
      source.values = context.f32(context.node.inputs[2]) + own.first * options.kv_heads() * options.value_width();
  }
  const Walk walk{context,
                  options,
                  bias,
                  source,
                  {options.reader(), options.both_sides(), options.window(), keys},
                  Tile(options, most * group, context.worker_scratch + worker * context.scratch_per_worker),
                  group,
                  start + first,
                  tokens};
  const size_t q_stride = options.heads() * key_width, out_stride = options.heads() * options.value_width();
  walk.start(context.f32(context.node.inputs[0]) + (span.first + first) * q_stride + head * group * key_width, q_stride);
  const size_t from = walk.visible(0).first / kBlockPositions;
  const size_t to = (walk.visible(tokens - 1).last + kBlockPositions - 1) / kBlockPositions;
  for (size_t block = from; block < to; ++block) walk.block(block);
  walk.finish(context.f32_out(context.node.outputs[0]) + (span.first + first) * out_stride + head * group * options.value_width(),
              out_stride);
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  uint32_t* tile_starts = reinterpret_cast<uint32_t*>(context.shared_scratch);
  const size_t most = tile_tokens(options);
  tile_starts[0] = 0;
  for (size_t s = 0; s < context.sequences; ++s)
    tile_starts[s + 1] = tile_starts[s] + static_cast<uint32_t>((context.span(context.node.inputs[0], s).count + most - 1) / most);
  const int32_t relative = options.relative_bias_tensor();
  const Call call{context,
                  options,
                  {options, context.kernels.vector, numbers(context.tensors, options.slopes_tensor()), numbers(context.tensors, relative),
                   relative < 0 ? 0 : context.tensors[static_cast<size_t>(relative)].rows, static_cast<const uint16_t*>(context.constant)},
                  tile_starts};
  // The last tiles see the most keys: they go first, so that no worker is left alone with one.
  const size_t tasks = size_t{tile_starts[context.sequences]} * options.kv_heads();
  context.parallel(tasks, [&](size_t index, size_t worker) { call.task(tasks - 1 - index, worker); });
}

}  // namespace

const Operation attention_operation = {
    schema::Options::Attention, "operation:Attention", 1, verify, shape, scratch, run, constant_bytes, prepare};

}  // namespace linnet::ops
