// Softmax attention over this call's own rows or over pages of state. A task is a few query rows of one key/value head: it walks
// the blocks of 64 absolute positions that they see, in order, with a running maximum and sum for each row. Rows never mix, so that
// a row's result depends on its own query and on the keys it sees alone: not on threads, batch neighbours or how a prompt was cut.
#include <cmath>
#include <cstring>

#include "core/limits.h"
#include "core/try.h"
#include "ops/attention_walk.h"

namespace linnet::ops {
namespace {

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
  const bool free = options.reader() == schema::Reader::bidirectional && options.slopes_tensor() < 0 && options.relative_bias_tensor() < 0 &&
                    !has_relative_scores(options) && !options.global_tokens();
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
  const size_t marks = !options.global_tokens() ? 0 : options.reader() == schema::Reader::bidirectional ? 2 : 1;
  LINNET_TRY(context.expect_inputs((!own ? 1 : options.value_prefix() ? 2 : 3) + marks));
  LINNET_TRY(verify_input(context, 0, "queries", options.heads() * options.key_width()));
  if (own) {
    LINNET_TRY(verify_input(context, 1, "keys", options.kv_heads() * options.key_width()));
    if (!options.value_prefix()) LINNET_TRY(verify_input(context, 2, "values", options.kv_heads() * options.value_width()));
  } else {
    LINNET_TRY(verify_state(context));
  }
  LINNET_TRY(verify_reader(context));
  LINNET_TRY(verify_bias(context));
  LINNET_TRY(verify_relative_scores(context));
  return verify_global_tokens(context);
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::Attention>();
  outputs[0] = context.input(0);
  outputs[0].columns = options.heads() * options.value_width();
}

Scratch scratch(const PlanContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  const size_t rows = tile_tokens(options) * group_of(options);
  const size_t sequences = static_cast<size_t>(context.limits[static_cast<size_t>(schema::Symbol::sequences)]);
  size_t shared = sequences + 1;
  if (options.global_tokens()) shared += GlobalLists::count(sequences, static_cast<size_t>(context.rows[context.node.inputs[3]]));
  return {.shared = shared * sizeof(uint32_t), .per_worker = Tile::floats(options, rows) * sizeof(float)};
}

size_t constant_bytes(const PlanContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  if (has_relative_scores(options)) return static_cast<size_t>(context.context + 1) * sizeof(uint16_t);
  return relative_bucket_bytes(options);
}

Status prepare(const PlanContext& context, void* constant) {
  const auto& options = context.node.as<schema::Attention>();
  if (has_relative_scores(options))
    relative_score_buckets(options, context.context + 1, static_cast<uint16_t*>(constant));
  else if (options.relative_bias_tensor() >= 0)
    relative_buckets(options, context.tensors[static_cast<size_t>(options.relative_bias_tensor())].rows, static_cast<uint16_t*>(constant));
  return {};
}

/// Everything that is the same for all tasks of a call.
struct Call {
  const RunContext& context;
  const schema::Attention& options;
  const Bias bias;
  const RelativeScores relative;
  const GlobalLists globals;
  uint32_t* tile_starts;  // [sequence + 1]: tiles of the sequences before

  bool only_globals() const { return options.global_tokens() && options.reader() == schema::Reader::bidirectional; }
  size_t queries(size_t sequence) const {
    return only_globals() ? globals.of(sequence).count : context.span(context.node.inputs[0], sequence).count;
  }
  Source source(size_t sequence, size_t head) const;
  void task(size_t index, size_t worker) const;
};

Source Call::source(size_t sequence, size_t head) const {
  Source source{.options = options, .head = head};
  if (options.state() >= 0) {
    const size_t state = static_cast<size_t>(options.state());
    source.layout = &context.layouts[state];
    source.pages = &context.pages[state * context.sequences + sequence];
    return source;
  }
  const size_t first = context.span(context.node.inputs[1], sequence).first;
  source.keys = context.f32(context.node.inputs[1]) + first * options.kv_heads() * options.key_width();
  if (!options.value_prefix()) source.values = context.f32(context.node.inputs[2]) + first * options.kv_heads() * options.value_width();
  return source;
}

void Call::task(size_t index, size_t worker) const {
  const size_t tile_index = index / options.kv_heads(), head = index % options.kv_heads();
  const size_t sequence = static_cast<size_t>(
      std::upper_bound(tile_starts, tile_starts + context.sequences + 1, static_cast<uint32_t>(tile_index)) - tile_starts - 1);
  const size_t group = group_of(options), most = tile_tokens(options);
  const Span span = context.span(context.node.inputs[0], sequence);
  const size_t first = (tile_index - tile_starts[sequence]) * most, tokens = std::min(most, queries(sequence) - first);

  const Source keys_and_values = source(sequence, head);
  size_t start = 0, keys = 0;
  if (options.state() >= 0) {
    start = context.first_position[sequence];
    const bool token = context.states[static_cast<size_t>(options.state())].kind == schema::StateKind::token;
    keys = token ? start + span.count : keys_and_values.pages->length;
  } else {
    keys = context.span(context.node.inputs[1], sequence).count;
  }
  const Walk walk{context,
                  options,
                  bias,
                  relative,
                  keys_and_values,
                  {options.reader(), options.both_sides(), options.window(), keys},
                  Tile(options, most * group, context.worker_scratch + worker * context.scratch_per_worker),
                  only_globals() ? Globals() : globals.of(sequence),
                  group,
                  start + first,
                  tokens,
                  only_globals() ? globals.of(sequence).rows + first : nullptr};
  const size_t q_stride = options.heads() * options.key_width(), out_stride = options.heads() * options.value_width();
  const size_t row = span.first + (only_globals() ? 0 : first), column = head * group;
  walk.start(context.f32(context.node.inputs[0]) + row * q_stride + column * options.key_width(), q_stride);
  walk.run();
  walk.finish(context.f32_out(context.node.outputs[0]) + row * out_stride + column * options.value_width(), out_stride);
}

const Tensor* table(const RunContext& context, int32_t index) { return index < 0 ? nullptr : &context.tensors[static_cast<size_t>(index)]; }

// Rows of tokens that are not global, and for a moment those of the others.
void copy_others(const RunContext& context) {
  const uint32_t out = context.node.outputs[0];
  const size_t columns = context.values[out].columns;
  parallel_pieces(context, context.rows(out), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    std::memcpy(context.f32_out(out) + first * columns, context.f32(context.node.inputs[4]) + first * columns,
                (last - first) * columns * sizeof(float));
  });
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Attention>();
  uint32_t* tile_starts = reinterpret_cast<uint32_t*>(context.shared_scratch);
  const size_t most = tile_tokens(options);
  const int32_t bias = options.relative_bias_tensor();
  const auto* buckets = static_cast<const uint16_t*>(context.constant);
  const Call call{context,
                  options,
                  {options, context.kernels.vector, numbers(context.tensors, options.slopes_tensor()), numbers(context.tensors, bias),
                   bias < 0 ? 0 : table(context, bias)->rows, buckets},
                  {options, context.kernels.attention, table(context, options.relative_keys_tensor()),
                   table(context, options.relative_queries_tensor()), buckets},
                  options.global_tokens() ? GlobalLists(context, tile_starts + context.sequences + 1) : GlobalLists(),
                  tile_starts};
  tile_starts[0] = 0;
  for (size_t s = 0; s < context.sequences; ++s)
    tile_starts[s + 1] = tile_starts[s] + static_cast<uint32_t>((call.queries(s) + most - 1) / most);
  if (call.only_globals()) copy_others(context);
  // The last tiles see the most keys: they go first, so that no worker is left alone with one.
  const size_t tasks = size_t{tile_starts[context.sequences]} * options.kv_heads();
  context.parallel(tasks, [&](size_t index, size_t worker) { call.task(tasks - 1 - index, worker); });
}

}  // namespace

const Operation attention_operation = {
    schema::Options::Attention, "operation:Attention", 1, verify, shape, scratch, run, constant_bytes, prepare};

}  // namespace linnet::ops
