// Programs that must be refused, each by the right code and with the culprit's name in the sentence.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>

#include "core/limits.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using flatbuffers::FlatBufferBuilder;
using schema::Function;
using schema::Reader;
using schema::Role;
using schema::StateKind;

namespace {

using Numbers = std::vector<float>;
using Indices = std::vector<int32_t>;

/// A program with one fault, the code it is refused with and a word of the sentence.
struct Bad {
  const char* what;
  Code code;
  const char* culprit;
  std::function<void(Trial&)> build;
};

void check_refused(const std::vector<Bad>& table) {
  for (const Bad& bad : table) {
    Trial trial;
    bad.build(trial);
    const Status status = trial.verify();
    const std::string what = bad.what, message = status.message();
    CAPTURE(what);
    CAPTURE(message);
    CHECK(status.code() == bad.code);
    CHECK(message.find(bad.culprit) != std::string::npos);
    CHECK(message.find("program \"trial\"") != std::string::npos);
  }
}

uint32_t numbers(Trial& trial, uint32_t columns, Rows rows = tokens()) { return trial.input(Numbers{}, columns, rows); }
uint32_t positions(Trial& trial, uint32_t columns = 1) { return trial.input(Indices{}, columns, 100); }

void unary(Trial& trial, std::vector<uint32_t> in, std::vector<uint32_t> out, Function function = Function::gelu) {
  trial.operation<schema::Unary>([&](auto& builder) { return schema::CreateUnary(builder, function); }, std::move(in), std::move(out));
}

/// An operation on a new value of `columns` whose output is as wide as its input.
template <class Table, class Create>
void same_shape(Trial& trial, uint32_t columns, Create create) {
  const uint32_t x = numbers(trial, columns);
  trial.operation<Table>(create, {x}, {trial.output(columns)});
}

void norm(Trial& trial, uint32_t columns, uint32_t width, int32_t weight, int32_t bias, schema::NormKind kind = schema::NormKind::layer) {
  same_shape<schema::Norm>(trial, columns, [&](auto& builder) { return schema::CreateNorm(builder, kind, 1e-5f, width, weight, bias); });
}

struct AngleOptions {
  uint32_t width = 8;
  float base = 10000;
  schema::RotaryScaling scaling = schema::RotaryScaling::none;
  float factor = 2, low = 1, high = 4;
  float beta_fast = 32;
  uint32_t original = 64;
  int32_t short_factors = -1, long_factors = -1;
  std::vector<uint32_t> sections = {};
  uint32_t position_columns = 1;
  bool lengths = false;
};
void angles(Trial& trial, const AngleOptions& o) {
  std::vector<uint32_t> in = {positions(trial, o.position_columns)};
  if (o.lengths) in.push_back(trial.input(Indices{}, 1, 100, tokens(), Role::lengths));
  trial.operation<schema::RotaryAngles>(
      [&](auto& builder) {
        return schema::CreateRotaryAnglesDirect(builder, o.width, o.base, o.scaling, o.factor, o.low, o.high, o.beta_fast, 1, true, 1,
                                                o.original, o.short_factors, o.long_factors, o.sections.empty() ? nullptr : &o.sections);
      },
      in, {trial.output(o.width ? o.width : 1)});
}

struct AttentionOptions {
  int32_t state = -1;
  Reader reader = Reader::causal;
  uint32_t heads = 4, kv_heads = 2, key_width = 8, value_width = 8;
  float scale = 1, softcap = 0;
  uint32_t window = 0;
  bool both_sides = false;
  int32_t sinks = -1, slopes = -1, relative = -1;
  uint32_t distance = 128;
  bool value_prefix = false;
  // The inputs' columns and rows, where they are not what the options ask for.
  uint32_t q = 32, k = 16, v = 16;
  Rows rows = tokens(), key_rows = tokens();
  size_t inputs = 3;
};
void attention(Trial& trial, const AttentionOptions& o) {
  std::vector<uint32_t> in = {numbers(trial, o.q, o.rows)};
  if (o.inputs > 1) in.push_back(numbers(trial, o.k, o.key_rows));
  if (o.inputs > 2) in.push_back(numbers(trial, o.v, o.key_rows));
  trial.operation<schema::Attention>(
      [&](auto& builder) {
        return schema::CreateAttention(builder, o.state, o.reader, o.heads, o.kv_heads, o.key_width, o.value_width, o.scale, o.softcap,
                                       o.window, o.both_sides, o.sinks, o.slopes, o.relative, o.distance, o.value_prefix);
      },
      in, {trial.output(32)});
}

uint32_t append(Trial& trial, uint32_t state, uint32_t key_columns = 16, uint32_t value_columns = 16, Rows rows = tokens()) {
  std::vector<uint32_t> in = {numbers(trial, key_columns, rows)};
  if (value_columns) in.push_back(numbers(trial, value_columns, rows));
  trial.operation<schema::Append>([&](auto& builder) { return schema::CreateAppend(builder, state); }, in, {});
  return state;
}

/// Reads a state that this call has appended to.
void read_state(Trial& trial, AttentionOptions o, StateKind kind = StateKind::token, uint32_t window = 0) {
  o.state = static_cast<int32_t>(trial.state(2, 8, 8, kind, window));
  o.inputs = 1;
  append(trial, static_cast<uint32_t>(o.state), 16, 16, kind == StateKind::source ? Rows{.symbol = Symbol::source_tokens} : tokens());
  attention(trial, o);
}

}  // namespace

TEST_CASE("values, inputs and outputs that contradict themselves are refused") {
  check_refused({
      {"no columns", Code::corrupt, "value 0: 0 columns", [](Trial& t) { numbers(t, 0); }},
      {"too many columns", Code::corrupt, "value 0", [](Trial& t) { numbers(t, core::limits::kDenseColumns + 1); }},
      {"too many quantized columns", Code::corrupt, "value 0",
       [](Trial& t) { t.value(ValueType::q8, core::limits::kColumns + 1, tokens()); }},
      {"a type of the future", Code::unsupported, "type 77", [](Trial& t) { t.value(static_cast<ValueType>(77), 1, tokens()); }},
      {"a symbol of the future", Code::unsupported, "symbol 9", [](Trial& t) { numbers(t, 1, {.symbol = static_cast<Symbol>(9)}); }},
      {"division by 0", Code::corrupt, "divided by 0", [](Trial& t) { numbers(t, 1, {.symbol = Symbol::tokens, .divide = 0}); }},
      {"half tokens", Code::unsupported, "1 / 2 of tokens", [](Trial& t) { numbers(t, 1, {.symbol = Symbol::tokens, .divide = 2}); }},
      {"a bound of numbers", Code::corrupt, "no index", [](Trial& t) { t.value(ValueType::f32, 1, tokens(), 3); }},
      {"a bound beyond int32", Code::corrupt, "bound of 4294967295", [](Trial& t) { t.input(Indices{}, 1, UINT32_MAX); }},
      {"an input that is no value", Code::corrupt, "\"input\" is value 7",
       [](Trial& t) {
         t.inputs().push_back({Role::features, "input", 7});
       }},
      {"one value as two inputs", Code::corrupt, "another input already",
       [](Trial& t) {
         t.inputs().push_back({Role::features, "x", numbers(t, 2)});
       }},
      {"numbers as token ids", Code::corrupt, "role token_ids", [](Trial& t) { t.input(Numbers{}, 1, tokens(), Role::token_ids); }},
      {"ids of two columns", Code::corrupt, "role token_ids", [](Trial& t) { t.input(Indices{}, 2, 9, tokens(), Role::token_ids); }},
      {"positions of two columns", Code::corrupt, "positions have 1 or 3", [](Trial& t) { positions(t, 2); }},
      {"an output's role on an input", Code::unsupported, "role 64", [](Trial& t) { t.input(Numbers{}, 1, tokens(), Role::logits); }},
      {"ids without a bound", Code::corrupt, "without a bound", [](Trial& t) { t.input(Indices{}, 1, 0, tokens(), Role::token_ids); }},
      {"output rows with a bound", Code::corrupt, "output rows", [](Trial& t) { t.input(Indices{}, 1, 5, outputs(), Role::output_rows); }},
      {"output rows of tokens", Code::corrupt, "each of outputs", [](Trial& t) { t.input(Indices{}, 1, 0, tokens(), Role::output_rows); }},
      {"ids of something else", Code::corrupt, "each of tokens", [](Trial& t) { t.input(Indices{}, 1, 9, outputs(), Role::token_ids); }},
      {"types of more than the tokens", Code::corrupt, "each of tokens",
       [](Trial& t) { t.input(Indices{}, 1, 2, {.symbol = Symbol::tokens, .per_sequence = 1}, Role::token_types); }},
      {"an output that nobody writes", Code::corrupt, "\"output\" is value 0", [](Trial& t) { t.wants(t.output(3)); }},
      {"an output that is no value", Code::corrupt, "\"output\" is value 12", [](Trial& t) { t.wants(12); }},
      {"an output of indices", Code::corrupt, "is index, expected f32", [](Trial& t) { t.wants(positions(t)); }},
      {"an input's role on an output", Code::corrupt, "role token_ids", [](Trial& t) { t.wants(numbers(t, 2), Role::token_ids); }},
  });
}

TEST_CASE("operands that do not exist, come too early or twice are refused") {
  check_refused({
      {"reads a value that is not there", Code::corrupt, "reads value 44", [](Trial& t) { unary(t, {44}, {t.output(2)}); }},
      {"reads before it is written", Code::corrupt, "before it is defined",
       [](Trial& t) {
         const uint32_t early = t.output(2), late = t.output(2);
         unary(t, {early}, {late});
       }},
      {"reads itself", Code::corrupt, "before it is defined",
       [](Trial& t) {
         const uint32_t x = t.output(2);
         unary(t, {x}, {x});
       }},
      {"writes an input", Code::corrupt, "defined already",
       [](Trial& t) {
         const uint32_t x = numbers(t, 2);
         unary(t, {x}, {x});
       }},
      {"writes a value that is not there", Code::corrupt, "writes value 9", [](Trial& t) { unary(t, {numbers(t, 2)}, {9}); }},
      {"no output", Code::corrupt, "0 outputs, expected 1", [](Trial& t) { unary(t, {numbers(t, 2)}, {}); }},
      {"two outputs", Code::corrupt, "2 outputs, expected 1",
       [](Trial& t) {
         unary(t, {numbers(t, 2)}, {t.output(2), t.output(2)});
       }},
      {"no input", Code::corrupt, "Unary: 0 inputs", [](Trial& t) { unary(t, {}, {t.output(2)}); }},
      {"too many inputs", Code::corrupt, "Unary: 40 inputs",
       [](Trial& t) { unary(t, std::vector<uint32_t>(40, numbers(t, 2)), {t.output(2)}); }},
      {"declared wider", Code::corrupt, "number of columns", [](Trial& t) { unary(t, {numbers(t, 2)}, {t.output(3)}); }},
      {"declared with other rows", Code::corrupt, "number of rows", [](Trial& t) { unary(t, {numbers(t, 2)}, {t.output(2, outputs())}); }},
      {"declared as another type", Code::corrupt, "another type",
       [](Trial& t) { unary(t, {numbers(t, 2)}, {t.value(ValueType::q8, 2, tokens())}); }},
      {"an index where numbers belong", Code::corrupt, "input 0 is index, expected f32",
       [](Trial& t) { unary(t, {positions(t)}, {t.output(1)}); }},
      {"a function of the future", Code::unsupported, "function 99",
       [](Trial& t) { unary(t, {numbers(t, 2)}, {t.output(2)}, static_cast<Function>(99)); }},
      {"the operation's place is told", Code::corrupt, "operation 1: Unary",
       [](Trial& t) {
         const uint32_t x = numbers(t, 2), y = t.output(2);
         unary(t, {x}, {y});
         unary(t, {x}, {y});
       }},
  });
}

TEST_CASE("tensors that are missing or of another shape are refused by name") {
  const auto small = [](Trial& t) { return t.tensor("small", 1, 3, Numbers(3)); };
  check_refused({
      {"no such tensor", Code::corrupt, "weight is tensor 5, but there are 0", [](Trial& t) { norm(t, 8, 0, 5, -1); }},
      {"a weight of another length", Code::corrupt, "weight \"small\" has 3", [&](Trial& t) { norm(t, 8, 0, small(t), -1); }},
      {"a bias of another length", Code::corrupt, "bias \"small\" has 3", [&](Trial& t) { norm(t, 8, 4, -1, small(t)); }},
      {"a weight in two rows", Code::corrupt, "weight \"matrix\"",
       [](Trial& t) { norm(t, 8, 0, t.tensor("matrix", 2, 8, Numbers(16)), -1); }},
      {"a weight in f16", Code::corrupt, "\"half\" holds 1 x f16",
       [](Trial& t) {
         const int32_t half = t.tensor("half", 1, 8, Numbers(8));
         t.tensors()[0].encoding = schema::Encoding::f16;
         norm(t, 8, 0, half, -1);
       }},
      {"a constant that is missing", Code::corrupt, "no row tensor",
       [](Trial& t) { same_shape<schema::BinaryConstant>(t, 4, [](auto& b) { return schema::CreateBinaryConstant(b); }); }},
      {"a prepended row that is too short", Code::corrupt, "row \"small\"",
       [&](Trial& t) {
         const int32_t row = small(t);
         const uint32_t x = numbers(t, 4);
         t.operation<schema::Prepend>([&](auto& b) { return schema::CreatePrepend(b, row); }, {x},
                                      {t.output(4, {.symbol = Symbol::tokens, .per_sequence = 1})});
       }},
  });
}

TEST_CASE("options that fit no input are refused") {
  const auto binary = [](Trial& t, uint32_t a, uint32_t b) {
    t.operation<schema::Binary>([](auto& builder) { return schema::CreateBinary(builder); }, {a, b}, {t.output(4)});
  };
  const auto gate = [](Trial& t, std::vector<uint32_t> in) {
    t.operation<schema::Gate>([](auto& builder) { return schema::CreateGate(builder); }, std::move(in), {t.output(4)});
  };
  const auto softcap = [](float cap) {
    return [cap](Trial& t) { same_shape<schema::Softcap>(t, 4, [cap](auto& b) { return schema::CreateSoftcap(b, cap); }); };
  };
  const auto slice = [](uint32_t first, uint32_t columns) {
    return [=](Trial& t) {
      t.operation<schema::Slice>([&](auto& b) { return schema::CreateSlice(b, first); }, {numbers(t, 6)}, {t.output(columns)});
    };
  };
  const auto select = [](Trial& t, uint32_t x, uint32_t rows, Rows out) {
    t.operation<schema::SelectRows>([](auto& b) { return schema::CreateSelectRows(b); }, {x, rows}, {t.output(4, out)});
  };
  check_refused({
      {"groups that do not divide", Code::corrupt, "groups of 3", [](Trial& t) { norm(t, 8, 3, -1, -1); }},
      {"a norm of the future", Code::unsupported, "kind 9", [](Trial& t) { norm(t, 8, 0, -1, -1, static_cast<schema::NormKind>(9)); }},
      {"an rms norm with a bias", Code::unsupported, "bias with kind rms",
       [](Trial& t) { norm(t, 4, 0, -1, t.tensor("bias", 1, 4, Numbers(4)), schema::NormKind::rms); }},
      {"sums of other columns", Code::corrupt, "Binary: 4 columns and 5", [&](Trial& t) { binary(t, numbers(t, 4), numbers(t, 5)); }},
      {"sums of other rows", Code::corrupt, "Binary: the second input has other rows",
       [&](Trial& t) { binary(t, numbers(t, 4), numbers(t, 4, outputs())); }},
      {"two rows to repeat", Code::corrupt, "Binary: the second input has other rows",
       [&](Trial& t) { binary(t, numbers(t, 4), numbers(t, 4, {.constant = 2})); }},
      {"odd columns to split", Code::corrupt, "Gate: 9 columns", [&](Trial& t) { gate(t, {numbers(t, 9)}); }},
      {"gates of other columns", Code::corrupt, "Gate: inputs of 4 and 8",
       [&](Trial& t) {
         gate(t, {numbers(t, 4), numbers(t, 8)});
       }},
      {"three gates", Code::corrupt, "Gate: 3 inputs", [&](Trial& t) { gate(t, std::vector<uint32_t>(3, numbers(t, 4))); }},
      {"a cap of 0", Code::corrupt, "Softcap", softcap(0)},
      {"a cap of NaN", Code::corrupt, "Softcap", softcap(std::numeric_limits<float>::quiet_NaN())},
      {"a slice past the end", Code::corrupt, "Slice: 3 columns from column 4", slice(4, 3)},
      {"a slice from far away", Code::corrupt, "Slice: 1 columns from column 4294967295", slice(UINT32_MAX, 1)},
      {"nothing to join", Code::corrupt, "Concat: no inputs",
       [](Trial& t) { t.operation<schema::Concat>([](auto& b) { return schema::CreateConcat(b); }, {}, {t.output(1)}); }},
      {"joined with other rows", Code::corrupt, "Concat: input 1",
       [](Trial& t) {
         t.operation<schema::Concat>([](auto& b) { return schema::CreateConcat(b); }, {numbers(t, 1), numbers(t, 1, outputs())},
                                     {t.output(2)});
       }},
      {"a pool of the future", Code::unsupported, "Pool: kind 17",
       [](Trial& t) {
         t.operation<schema::Pool>([](auto& b) { return schema::CreatePool(b, static_cast<schema::PoolKind>(17)); }, {numbers(t, 4)},
                                   {t.output(4, sequences())});
       }},
      {"a pool of rows without a sequence", Code::corrupt, "belong to no sequence",
       [](Trial& t) {
         t.operation<schema::Pool>([](auto& b) { return schema::CreatePool(b); }, {numbers(t, 4, {.constant = 3})},
                                   {t.output(4, sequences())});
       }},
      {"token rows of something else", Code::corrupt, "SelectRows: the rows count tokens",
       [&](Trial& t) {
         select(t, numbers(t, 4, {.symbol = Symbol::patches}), t.input(Indices{}, 1, 0, outputs(), Role::output_rows), outputs());
       }},
      {"a bound that is not proven", Code::corrupt, "SelectRows: rows below 100",
       [&](Trial& t) { select(t, numbers(t, 4), positions(t), tokens()); }},
      {"rows that are numbers", Code::corrupt, "SelectRows: the rows are f32",
       [&](Trial& t) { select(t, numbers(t, 4), numbers(t, 1), tokens()); }},
      {"output rows as positions", Code::corrupt, "its bound is 0",
       [](Trial& t) {
         const uint32_t rows = t.input(Indices{}, 1, 0, outputs(), Role::output_rows);
         t.operation<schema::RotaryAngles>([](auto& b) { return schema::CreateRotaryAngles(b, 8); }, {rows}, {t.output(8, outputs())});
       }},
  });
}

TEST_CASE("rotary options out of range are refused") {
  using schema::RotaryScaling;
  const auto rotary = [](uint32_t columns, uint32_t head, uint32_t width, Rows rows = tokens()) {
    return [=](Trial& t) {
      const uint32_t x = numbers(t, columns), turned = numbers(t, width, rows);
      t.operation<schema::Rotary>([&](auto& b) { return schema::CreateRotary(b, head); }, {x, turned}, {t.output(columns)});
    };
  };
  const auto with = [](AngleOptions options) { return [=](Trial& t) { angles(t, options); }; };
  check_refused({
      {"no width", Code::corrupt, "width of 0", with({.width = 0})},
      {"an odd width", Code::corrupt, "width of 7", with({.width = 7})},
      {"a base of 1", Code::corrupt, "base", with({.base = 1})},
      {"a base of NaN", Code::corrupt, "base", with({.base = std::numeric_limits<float>::quiet_NaN()})},
      {"a factor of 0", Code::corrupt, "factor", with({.factor = 0})},
      {"a scaling that is not here yet", Code::unsupported, "scaling 6", with({.scaling = RotaryScaling::proportional})},
      {"llama3 without original positions", Code::corrupt, "original_positions", with({.scaling = RotaryScaling::llama3, .original = 0})},
      {"llama3 with equal bounds", Code::corrupt, "low_frequency_factor", with({.scaling = RotaryScaling::llama3, .low = 4, .high = 4})},
      {"yarn with a beta of 0", Code::corrupt, "beta_fast", with({.scaling = RotaryScaling::yarn, .beta_fast = 0})},
      {"dynamic without lengths", Code::corrupt, "1 inputs, expected 2", with({.scaling = RotaryScaling::dynamic})},
      {"dynamic of one pair", Code::corrupt, "width above 2", with({.width = 2, .scaling = RotaryScaling::dynamic, .lengths = true})},
      {"plain with lengths", Code::corrupt, "2 inputs, expected 1", with({.lengths = true})},
      {"longrope without long factors", Code::corrupt, "long factors", with({.scaling = RotaryScaling::longrope, .lengths = true})},
      {"factors of another length", Code::corrupt, "\"short\"",
       [](Trial& t) {
         AngleOptions o;
         o.short_factors = t.tensor("short", 1, 3, Numbers(3));
         angles(t, o);
       }},
      {"two sections", Code::corrupt, "2 sections", with({.sections = {2, 2}, .position_columns = 3})},
      {"sections that do not add up", Code::corrupt, "3 sections of 5", with({.sections = {2, 2, 1}, .position_columns = 3})},
      {"sections over one position", Code::corrupt, "over 1 position", with({.sections = {2, 1, 1}})},
      {"three positions without sections", Code::corrupt, "3 columns, expected 1", with({.position_columns = 3})},
      {"heads of no columns", Code::corrupt, "heads of 0", rotary(16, 0, 4)},
      {"heads that do not divide", Code::corrupt, "heads of 5", rotary(16, 5, 4)},
      {"angles wider than a head", Code::corrupt, "10 angle columns", rotary(16, 8, 10)},
      {"odd angles", Code::corrupt, "3 angle columns", rotary(16, 8, 3)},
      {"angles of other rows", Code::corrupt, "other rows", rotary(16, 8, 4, outputs())},
  });
}

TEST_CASE("attention over this call with wrong heads, widths or readers is refused") {
  const auto with = [](AttentionOptions options) { return [=](Trial& t) { attention(t, options); }; };
  check_refused({
      {"no heads", Code::corrupt, "0 heads", with({.heads = 0})},
      {"no key/value heads", Code::corrupt, "over 0 key/value heads", with({.kv_heads = 0})},
      {"heads that do not divide", Code::corrupt, "4 heads over 3", with({.kv_heads = 3})},
      {"too many heads", Code::corrupt, "2048 heads", with({.heads = 2048})},
      {"no key width", Code::corrupt, "keys of 0", with({.key_width = 0})},
      {"no value width", Code::corrupt, "values of 0", with({.value_width = 0})},
      {"a width beyond the limit", Code::corrupt, "keys of 9000", with({.key_width = 9000})},
      {"an infinite scale", Code::corrupt, "scale", with({.scale = std::numeric_limits<float>::infinity()})},
      {"queries of other columns", Code::corrupt, "queries have 40", with({.q = 40})},
      {"keys of other columns", Code::corrupt, "keys have 32", with({.k = 32})},
      {"values of other columns", Code::corrupt, "values have 8", with({.v = 8})},
      {"keys of other rows", Code::corrupt, "keys have other rows", with({.key_rows = outputs()})},
      {"rows of no sequence", Code::corrupt, "belong to no sequence", with({.rows = {.constant = 4}, .key_rows = {.constant = 4}})},
      {"values missing", Code::corrupt, "2 inputs, expected 3", with({.inputs = 2})},
      {"a reader that is not here yet", Code::unsupported, "reader chunked", with({.reader = Reader::chunked})},
      {"a reader that is not here yet", Code::unsupported, "reader selected", with({.reader = Reader::selected})},
      {"a reader of the future", Code::unsupported, "newer file", with({.reader = static_cast<Reader>(50)})},
      {"no window", Code::corrupt, "window of 0", with({.reader = Reader::window})},
      {"both sides without a window", Code::corrupt, "both_sides", with({.both_sides = true})},
      {"a prefix without a state", Code::corrupt, "prefix needs a state", with({.reader = Reader::prefix})},
      {"a soft-cap below 0", Code::corrupt, "soft-cap", with({.softcap = -1})},
      {"sinks that are not there", Code::corrupt, "sinks is tensor 3", with({.sinks = 3})},
      {"slopes of other heads", Code::corrupt, "slopes \"two\"",
       [](Trial& t) { attention(t, {.slopes = t.tensor("two", 1, 2, Numbers(2))}); }},
      {"a relative bias of other heads", Code::corrupt, "relative bias \"table\"",
       [](Trial& t) { attention(t, {.relative = t.tensor("table", 32, 2, Numbers(64))}); }},
      {"a relative bias of one bucket", Code::corrupt, "relative bias \"table\"",
       [](Trial& t) { attention(t, {.relative = t.tensor("table", 1, 4, Numbers(4))}); }},
      {"a relative distance within the exact buckets", Code::corrupt, "relative distance of 16",
       [](Trial& t) { attention(t, {.relative = t.tensor("table", 32, 4, Numbers(128)), .distance = 16}); }},
      {"a value wider than the key it begins", Code::corrupt, "cannot be a prefix",
       with({.value_width = 9, .value_prefix = true, .inputs = 2})},
  });
}

TEST_CASE("state that is appended or read wrongly is refused by name") {
  const auto read = [](AttentionOptions options, StateKind kind = StateKind::token, uint32_t window = 0) {
    return [=](Trial& t) { read_state(t, options, kind, window); };
  };
  check_refused({
      {"no such state to append", Code::corrupt, "Append: state 3, but there are 0", [](Trial& t) { append(t, 3); }},
      {"no such state to read", Code::corrupt, "Attention: state 2, but there are 0",
       [](Trial& t) { attention(t, {.state = 2, .inputs = 1}); }},
      {"recurrent state", Code::corrupt, "not one of positions", [](Trial& t) { append(t, t.state(2, 8, 8, StateKind::recurrent)); }},
      {"state in an encoding that is not here yet", Code::unsupported, "encoding 3",
       [](Trial& t) {
         append(t, t.state(2, 8, 8));
         t.states()[0].encoding = schema::StateEncoding::int4;
       }},
      {"state without heads", Code::corrupt, "0 heads", [](Trial& t) { append(t, t.state(0, 8, 8)); }},
      {"state with too many heads", Code::corrupt, "5000 heads", [](Trial& t) { append(t, t.state(5000, 8, 8)); }},
      {"keys of other columns", Code::corrupt, "input 0 has 24 columns, state \"state\" takes 16",
       [](Trial& t) { append(t, t.state(2, 8, 8), 24); }},
      {"values of other columns", Code::corrupt, "input 1 has 8 columns", [](Trial& t) { append(t, t.state(2, 8, 8), 16, 8); }},
      {"values that the state has not", Code::corrupt, "2 inputs, expected 1", [](Trial& t) { append(t, t.state(2, 8, 0)); }},
      {"rows that are no tokens", Code::corrupt, "each of tokens", [](Trial& t) { append(t, t.state(2, 8, 8), 16, 16, outputs()); }},
      {"more than the tokens", Code::corrupt, "each of tokens",
       [](Trial& t) { append(t, t.state(2, 8, 8), 16, 16, {.symbol = Symbol::tokens, .per_sequence = 1}); }},
      {"appended twice", Code::corrupt, "gets rows twice",
       [](Trial& t) {
         append(t, t.state(2, 8, 8));
         append(t, 0);
       }},
      {"read before it is appended", Code::corrupt, "before this call's rows",
       [](Trial& t) {
         t.state(2, 8, 8);
         attention(t, {.state = 0, .inputs = 1});
       }},
      {"read with other heads", Code::corrupt, "has 2 heads of 8 and 8 columns, expected 1", read({.kv_heads = 1})},
      {"read with other widths", Code::corrupt, "has 2 heads of 8 and 8 columns, expected 2 of 8 and 0", read({.value_prefix = true})},
      {"read by rows that are no tokens", Code::corrupt, "one row for each token", read({.rows = outputs()})},
      {"keys given besides the state", Code::corrupt, "3 inputs, expected 1",
       [](Trial& t) { attention(t, {.state = static_cast<int32_t>(append(t, t.state(2, 8, 8)))}); }},
      {"token state in both directions", Code::corrupt, "in both directions", read({.reader = Reader::bidirectional})},
      {"a window on both sides", Code::corrupt, "in both directions", read({.reader = Reader::window, .window = 4, .both_sides = true})},
      {"further back than what is kept", Code::corrupt, "keeps 8 positions",
       read({.reader = Reader::window, .window = 9}, StateKind::token, 8)},
      {"all of a windowed state", Code::corrupt, "keeps 8 positions", read({}, StateKind::token, 8)},
      {"source state read causally", Code::corrupt, "source state", read({}, StateKind::source)},
  });
}

TEST_CASE("what is right passes") {
  const std::vector<std::function<void(Trial&)>> good = {
      [](Trial& t) { attention(t, {}); },
      [](Trial& t) { attention(t, {.reader = Reader::window, .window = 3, .both_sides = true}); },
      [](Trial& t) {
        attention(t, {.rows = {.symbol = Symbol::patches, .per_sequence = 1}, .key_rows = {.symbol = Symbol::patches, .per_sequence = 1}});
      },
      [](Trial& t) { read_state(t, {}); },
      [](Trial& t) { read_state(t, {.reader = Reader::prefix}); },
      [](Trial& t) { read_state(t, {.reader = Reader::window, .window = 8}, StateKind::token, 8); },
      [](Trial& t) { read_state(t, {.reader = Reader::bidirectional}, StateKind::source); },
      [](Trial& t) {
        angles(t, {.sections = {2, 1, 1}, .position_columns = 3});
      },
      [](Trial& t) { angles(t, {.scaling = schema::RotaryScaling::dynamic, .lengths = true}); },
      [](Trial& t) { numbers(t, 1, {.symbol = Symbol::tokens, .multiply = 6, .divide = 3}); },
      // Twelve rows are always there, so an index below twelve may choose from them.
      [](Trial& t) {
        const uint32_t x = numbers(t, 4, {.constant = 12}), rows = t.input(Indices{}, 1, 12);
        t.operation<schema::SelectRows>([](auto& b) { return schema::CreateSelectRows(b); }, {x, rows}, {t.output(4)});
      },
  };
  for (size_t i = 0; i < good.size(); ++i) {
    CAPTURE(i);
    Trial trial;
    good[i](trial);
    // Attention writes 32 columns over tokens in this table, except where its rows are others.
    if (i == 2) trial.values().back().rows = {.symbol = Symbol::patches, .per_sequence = 1};
    const Status status = trial.verify();
    CHECK_MESSAGE(status.ok(), status.message());
  }
}
