#include <doctest/doctest.h>

#include <cmath>

#include "expert_stacks.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::Encoding;
using schema::Function;

namespace {

struct Form {
  uint32_t experts = 5, hidden = 24, inner = 40, out = 24, chosen = 3;
  Encoding gate_up = Encoding::f32, down = Encoding::f32;
  Function function = Function::silu;
  bool plain = false, biases = false;
  uint32_t turn = 0;
  float limit = 0, up_offset = 0;
};

bool quantized(Encoding encoding) { return encoding != Encoding::f32 && encoding != Encoding::f16; }

struct Batch {
  std::vector<float> x, weights;
  std::vector<int32_t> chosen;

  Batch() = default;
  Batch(const Form& form, uint32_t rows, unsigned seed) : x(random_numbers(rows * form.hidden, seed)) {
    weights = random_numbers(rows * form.chosen, seed + 1);
    Random random(seed);
    for (uint32_t r = 0; r < rows; ++r)
      for (uint32_t k = 0; k < form.chosen; ++k)
        // Most rows meet in few experts, so that these get many.
        chosen.push_back(random.integer(0, random.next() % 2 ? 1 : static_cast<int>(form.experts) - 1));
  }
  Batch row(const Form& form, size_t r) const {
    const auto cut = [&](const auto& all, size_t width) {
      return std::decay_t<decltype(all)>(all.begin() + static_cast<long>(r * width), all.begin() + static_cast<long>((r + 1) * width));
    };
    Batch one;
    one.x = cut(x, form.hidden);
    one.weights = cut(weights, form.chosen);
    one.chosen = cut(chosen, form.chosen);
    return one;
  }
};

struct Layer {
  Form form;
  Stack gate_up, down;
  std::vector<float> gate_up_bias, down_bias;

  explicit Layer(const Form& f)
      : form(f),
        gate_up(f.gate_up, f.experts, f.inner * (f.plain ? 1 : 2), f.hidden, 100),
        down(f.down, f.experts, f.out, f.inner, 200),
        gate_up_bias(random_numbers(size_t{f.experts} * gate_up.tensor.rows, 300)),
        down_bias(random_numbers(size_t{f.experts} * f.out, 400)) {}

  /// The operation as a file has it, x quantized before it where gate_up is. Returns the value of the result.
  uint32_t build(Trial& trial, const Batch& batch) const {
    trial.counts[Symbol::tokens] = {static_cast<uint32_t>(batch.x.size() / form.hidden)};
    trial.tensors() = {gate_up.tensor, down.tensor};
    int32_t of_gate_up = -1, of_down = -1;
    if (form.biases) {
      of_gate_up = trial.tensor("bias", form.experts, gate_up.tensor.rows, gate_up_bias);
      of_down = trial.tensor("bias of down", form.experts, form.out, down_bias);
    }
    uint32_t x = trial.input(batch.x, form.hidden);
    if (quantized(form.gate_up)) {
      const uint32_t q8 = trial.value(ValueType::q8, form.hidden, tokens());
      trial.operation<schema::Quantize>([](auto& builder) { return schema::CreateQuantize(builder); }, {x}, {q8});
      x = q8;
    }
    const uint32_t chosen = trial.input(batch.chosen, form.chosen, form.experts, tokens(), schema::Role::latent_codes);
    const uint32_t weights = trial.input(batch.weights, form.chosen, tokens(), schema::Role::pixels), out = trial.output(form.out);
    trial.operation<schema::Experts>(
        [&](auto& builder) {
          return schema::CreateExperts(builder, 0, 1, of_gate_up, of_down, form.function, form.plain, form.turn, form.limit,
                                       form.up_offset);
        },
        {x, chosen, weights}, {out});
    return out;
  }
  std::vector<float> run(const Batch& batch, kernels::Level level = kernels::best().level, uint32_t threads = 2) const {
    Trial trial;
    trial.level = level;
    trial.threads = threads;
    const uint32_t out = build(trial, batch);
    REQUIRE(trial.run_verified(out) == "");
    return trial.result(out);
  }

  // ---- in double precision, row by row and slot by slot
  double activated(double x) const {
    if (form.function == Function::relu) return std::max(x, 0.0);
    return x / (1 + std::exp(-(form.function == Function::gelu_quick ? 1.702 : 1) * x));
  }
  double product(const Stack& stack, const std::vector<float>& bias, size_t expert, size_t row, const std::vector<double>& x) const {
    double sum = form.biases ? static_cast<double>(bias[expert * stack.tensor.rows + row]) : 0;
    for (size_t k = 0; k < x.size(); ++k) sum += stack.value(expert, row, k) * x[k];
    return sum;
  }
  std::vector<double> inner(const std::vector<double>& x, size_t expert) const {
    std::vector<double> h;
    for (size_t i = 0; i < form.inner; ++i) {
      double gate = product(gate_up, gate_up_bias, expert, i, x);
      if (form.plain) {
        h.push_back(activated(gate));
        continue;
      }
      double up = product(gate_up, gate_up_bias, expert, form.inner + i, x);
      if (form.limit > 0) {
        gate = std::min(gate, static_cast<double>(form.limit));
        up = std::min(std::max(up, -static_cast<double>(form.limit)), static_cast<double>(form.limit));
      }
      h.push_back(activated(gate) * (up + static_cast<double>(form.up_offset)));
    }
    return h;
  }
  std::vector<double> expected(const Batch& batch) const {
    std::vector<double> all;
    for (size_t r = 0; r < batch.x.size() / form.hidden; ++r) {
      const std::vector<double> x(batch.x.begin() + static_cast<long>(r * form.hidden),
                                  batch.x.begin() + static_cast<long>((r + 1) * form.hidden));
      std::vector<double> out(form.out);
      for (size_t k = r * form.chosen; k < (r + 1) * form.chosen; ++k) {
        const auto expert = static_cast<size_t>(batch.chosen[k]);
        const std::vector<double> h = inner(x, expert);
        for (size_t n = 0; n < form.out; ++n) out[n] += static_cast<double>(batch.weights[k]) * product(down, down_bias, expert, n, h);
      }
      all.insert(all.end(), out.begin(), out.end());
    }
    return all;
  }
};

// |got - expected| / |expected| over all numbers.
double distance(const std::vector<float>& got, const std::vector<double>& expected) {
  double difference = 0, size = 0;
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    difference += (static_cast<double>(got[i]) - expected[i]) * (static_cast<double>(got[i]) - expected[i]);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

double distance(const Form& form, uint32_t rows) {
  const Layer layer(form);
  const Batch batch(form, rows, rows);
  return distance(layer.run(batch), layer.expected(batch));
}

}  // namespace

TEST_CASE("experts sum what each row's own experts make of it") {
  CHECK(distance({}, 7) < 1e-6);
  CHECK(distance({.hidden = 33, .inner = 71, .out = 19}, 5) < 1e-6);
  CHECK(distance({.gate_up = Encoding::f16, .down = Encoding::f16}, 5) < 1e-6);
  CHECK(distance({.biases = true}, 7) < 1e-6);
  CHECK(distance({.function = Function::relu, .plain = true}, 7) < 1e-6);
  CHECK(distance({.function = Function::relu, .plain = true, .biases = true}, 7) < 1e-6);
  CHECK(distance({.function = Function::gelu_quick, .biases = true, .limit = 0.75f, .up_offset = 1}, 7) < 1e-6);
  CHECK(distance({.experts = 1, .chosen = 1}, 3) < 1e-6);
  CHECK(distance({.experts = 40, .hidden = 130, .inner = 129, .out = 65, .chosen = 9}, 100) < 1e-6);
}

TEST_CASE("quantized experts stay within the rounding of their inputs") {
  for (Encoding encoding : {Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    CAPTURE(schema::EnumNameEncoding(encoding));
    CHECK(distance({.hidden = 96, .inner = 64, .gate_up = encoding, .down = encoding}, 9) < 0.02);
    CHECK(distance({.hidden = 70, .inner = 45, .gate_up = encoding, .down = encoding, .biases = true}, 9) < 0.02);
    CHECK(distance({.gate_up = encoding, .down = Encoding::f32}, 9) < 0.02);
    CHECK(distance({.gate_up = Encoding::f16, .down = encoding}, 9) < 0.02);
  }
}

TEST_CASE("where h is turned before it is quantized, `down` holds turned rows") {
  const Form form = {.inner = 96, .down = Encoding::int8, .turn = 32};
  const Layer layer(form);
  const Batch batch(form, 6, 1);
  // W H (H h) = W h: the oracle gets the rows turned back.
  Layer plain(form);
  for (size_t first = 0; first < plain.down.values.size(); first += 32) {
    std::vector<float> turned(32);
    for (size_t i = 0; i < 32; ++i)
      for (size_t j = 0; j < 32; ++j)
        turned[i] += (__builtin_popcountll(i & j) % 2 ? -1.0f : 1.0f) / std::sqrt(32.0f) * plain.down.values[first + j];
    std::copy(turned.begin(), turned.end(), plain.down.values.begin() + static_cast<long>(first));
  }
  CHECK(distance(layer.run(batch), plain.expected(batch)) < 0.02);
}

TEST_CASE("a row's result is the same bits alone, among others, and for any number of threads, at every level") {
  for (const Form& form :
       {Form{.chosen = 4}, Form{.hidden = 96, .inner = 100, .chosen = 4, .gate_up = Encoding::int8, .down = Encoding::int8},
        Form{.chosen = 4, .gate_up = Encoding::int4, .down = Encoding::int4, .biases = true},
        Form{.chosen = 4, .gate_up = Encoding::mxfp4, .down = Encoding::mxfp4}}) {
    const Layer layer(form);
    const uint32_t rows = 90;  // 360 pairs: more than a tile, and more than two for one expert
    const Batch batch(form, rows, 3);
    for (int i = 0; i < 32; ++i) {
      const auto level = static_cast<kernels::Level>(i);
      if (!kernels::available(level)) continue;
      CAPTURE(kernels::name(level));
      const std::vector<float> all = layer.run(batch, level, 3);
      CHECK(layer.run(batch, level, 1) == all);
      size_t different = 0;
      for (uint32_t r = 0; r < rows; ++r)
        different +=
            layer.run(batch.row(form, r), level) != std::vector<float>(all.begin() + r * form.out, all.begin() + (r + 1) * form.out);
      CHECK(different == 0);
    }
  }
}

TEST_CASE("weights of experts that nobody chose are not touched") {
  for (Encoding encoding : {Encoding::f32, Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    const Form form = {.experts = 6, .hidden = 256, .inner = 256, .out = 256, .chosen = 2, .gate_up = encoding, .down = encoding};
    Layer layer(form);
    for (uint32_t rows : {1, 40}) {
      Batch batch(form, rows, 8);
      for (int32_t& expert : batch.chosen) expert = expert % 2 ? 1 : 4;
      const std::vector<float> before = layer.run(batch);
      for (uint32_t expert : {0, 2, 3, 5}) {
        CHECK(layer.gate_up.forbid(expert) > 0);
        CHECK(layer.down.forbid(expert) > 0);
      }
      CHECK(layer.run(batch) == before);  // a read of a forbidden page would end the program
    }
  }
}

TEST_CASE("scratch does not grow with rows * experts * width") {
  const Form form = {.experts = 4, .hidden = 512, .inner = 2048, .out = 512, .gate_up = Encoding::int8, .down = Encoding::int8};
  const Layer layer(form);
  const auto scratch_for = [&](uint32_t rows) {
    Trial trial;
    const uint32_t out = layer.build(trial, Batch(form, rows, 1));
    static_cast<void>(out);
    return trial.scratch_of_last();
  };
  const ops::Scratch few = scratch_for(4096), many = scratch_for(8192);
  CHECK(few.shared < (6u << 20));
  CHECK(many.shared - few.shared == 4096 * 3 * 4);  // four bytes for a pair
  CHECK(many.per_worker == few.per_worker);
}

namespace {

std::string refused(const Form& form, const std::function<void(Trial&)>& change) {
  const Layer layer(form);
  Trial trial;
  const uint32_t out = layer.build(trial, Batch(form, 2, 1));
  change(trial);
  return trial.run_verified(out);
}

}  // namespace

TEST_CASE("experts that do not fit together are refused by name") {
  const auto contains = [](const std::string& text, const char* part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  contains(refused({}, [](Trial& t) { t.tensors()[1].count = 4; }), "5 and 4 matrices");
  contains(refused({}, [](Trial& t) { t.tensors()[0].count = t.tensors()[1].count = 5000; }), "at most 4096");
  contains(refused({}, [](Trial& t) { t.tensors()[0].rows = 79; }), "has 79 rows, expected 80");
  contains(refused({}, [](Trial& t) { t.tensors()[0].columns = 23; }), "the input has 24 columns");
  contains(refused({}, [](Trial& t) { t.tensors()[0].encoding = Encoding::q4_0; }), "encoded as q4_0");
  contains(refused({}, [](Trial& t) { t.tensors()[0].encoding = Encoding::int8; }), "input 0 is f32, expected q8");
  contains(refused({}, [](Trial& t) { t.values()[1].bound = 6; }), "experts below 6 are chosen, but there are 5");
  contains(refused({}, [](Trial& t) { t.values()[2].columns = 2; }), "3 experts with 2 weights");
  contains(refused({}, [](Trial& t) { t.values()[2].rows = sequences(); }), "one row of experts and of weights");
  contains(refused({.turn = 8}, [](Trial&) {}), "a turn of 8 columns");
  contains(refused({.down = Encoding::int8, .turn = 16}, [](Trial&) {}), "a turn of 16 columns");
  contains(refused({.biases = true}, [](Trial& t) { t.tensors()[2].rows = 4; }), "bias of gate and up");
  contains(refused({.biases = true}, [](Trial& t) { t.tensors()[3].encoding = Encoding::f16; }), "expected one matrix of f32");
  contains(refused({.function = static_cast<Function>(99)}, [](Trial&) {}), "function 99");
}
