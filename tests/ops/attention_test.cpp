#include <doctest/doctest.h>

#include "attention_oracle.h"
#include "kernels/kernels.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::Reader;

namespace {

struct Shape {
  uint32_t heads, kv_heads, key_width, value_width;
};

/// What an attention case is made of, besides its numbers.
struct Case {
  Shape shape;
  Reader reader = Reader::causal;
  uint32_t window = 0;
  bool both_sides = false;
  float softcap = 0;
  int32_t sinks = -1, slopes = -1, relative = -1;
  uint32_t distance = 0;
  bool value_prefix = false;
  float scale = 0.3f;
  bool absolute_slopes = false;
};

auto options(const Case& c, int32_t state) {
  return [=](flatbuffers::FlatBufferBuilder& builder) {
    return schema::CreateAttention(builder, state, c.reader, c.shape.heads, c.shape.kv_heads, c.shape.key_width, c.shape.value_width,
                                   c.scale, c.softcap, c.window, c.both_sides, c.sinks, c.slopes, c.relative, c.distance, c.value_prefix,
                                   c.absolute_slopes);
  };
}

Oracle oracle(const Case& c) {
  Oracle made{c.shape.heads, c.shape.kv_heads, c.shape.key_width, c.shape.value_width, static_cast<double>(c.scale), nullptr};
  made.value_prefix = c.value_prefix;
  const size_t window = c.window;
  switch (c.reader) {
    case Reader::causal:
      made.sees = [](size_t t, size_t s) { return s <= t; };
      break;
    case Reader::window:
      if (c.both_sides)
        made.sees = [window](size_t t, size_t s) { return s + window >= t && s <= t + window; };
      else
        made.sees = [window](size_t t, size_t s) { return s <= t && s + window > t; };
      break;
    default:
      made.sees = [](size_t, size_t) { return true; };
  }
  return made;
}

void check_close(const std::vector<float>& got, const std::vector<float>& expected, double tolerance = 2e-5) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(std::fabs(got[i] - expected[i]) <= tolerance * (1 + std::fabs(expected[i])));
  }
}

std::vector<float> rows_of(const std::vector<float>& all, size_t columns, size_t first, size_t count) {
  return {all.begin() + static_cast<long>(first * columns), all.begin() + static_cast<long>((first + count) * columns)};
}

/// Sequences of these lengths, packed, attend within this call; the result is compared with the oracle's, sequence by sequence.
void check_own(const Case& c, const std::vector<uint32_t>& lengths, kernels::Level level, uint32_t threads) {
  size_t total = 0;
  for (uint32_t length : lengths) total += length;
  const auto q = random_numbers(total * c.shape.heads * c.shape.key_width, 1),
             k = random_numbers(total * c.shape.kv_heads * c.shape.key_width, 2),
             v = random_numbers(total * c.shape.kv_heads * c.shape.value_width, 3);
  Trial trial;
  trial.sequences = lengths.size();
  trial.counts[Symbol::tokens] = lengths;
  trial.level = level;
  trial.threads = threads;
  std::vector<uint32_t> in = {trial.input(q, c.shape.heads * c.shape.key_width), trial.input(k, c.shape.kv_heads * c.shape.key_width),
                              trial.input(v, c.shape.kv_heads * c.shape.value_width)};
  const uint32_t out = trial.output(c.shape.heads * c.shape.value_width);
  trial.operation<schema::Attention>(options(c, -1), in, {out});
  trial.wants(out);
  const Status status = trial.verify();
  REQUIRE_MESSAGE(status.ok(), status.message());
  trial.run();
  const Oracle expected = oracle(c);
  size_t first = 0;
  for (uint32_t length : lengths) {
    const auto part = [&](const std::vector<float>& all, uint32_t columns) { return rows_of(all, columns, first, length); };
    check_close(part(trial.result(out), c.shape.heads * c.shape.value_width),
                expected(part(q, c.shape.heads * c.shape.key_width), part(k, c.shape.kv_heads * c.shape.key_width),
                         part(v, c.shape.kv_heads * c.shape.value_width)));
    first += length;
  }
}

/// One sequence's rows go through Append and Attention in calls of the given numbers of tokens; all rows' results in order.
std::vector<float> through_state(const Case& c, const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
                                 const std::vector<uint32_t>& chunks, kernels::StateEncoding encoding, kernels::Level level,
                                 uint32_t threads, const std::vector<float>& sinks = {}) {
  Trial trial;
  trial.counts[Symbol::tokens] = {0};
  trial.level = level;
  trial.threads = threads;
  trial.encoding = encoding;
  const uint32_t state = trial.state(c.shape.kv_heads, c.shape.key_width, c.value_prefix ? 0 : c.shape.value_width);
  Case with = c;
  if (!sinks.empty()) with.sinks = trial.tensor("sinks", 1, c.shape.heads, sinks);
  const std::vector<float> none;
  const uint32_t qi = trial.input(none, c.shape.heads * c.shape.key_width), ki = trial.input(none, c.shape.kv_heads * c.shape.key_width),
                 vi = trial.input(none, c.shape.kv_heads * c.shape.value_width), out = trial.output(c.shape.heads * c.shape.value_width);
  std::vector<uint32_t> appended = {ki};
  if (!c.value_prefix) appended.push_back(vi);
  trial.operation<schema::Append>([&](auto& builder) { return schema::CreateAppend(builder, state); }, appended, {});
  trial.operation<schema::Attention>(options(with, static_cast<int32_t>(state)), {qi}, {out});
  trial.wants(out);
  const Status status = trial.verify();
  REQUIRE_MESSAGE(status.ok(), status.message());
  std::vector<float> all;
  size_t first = 0;
  for (uint32_t count : chunks) {
    trial.counts[Symbol::tokens] = {count};
    trial.set(qi, rows_of(q, c.shape.heads * c.shape.key_width, first, count));
    trial.set(ki, rows_of(k, c.shape.kv_heads * c.shape.key_width, first, count));
    trial.set(vi, rows_of(v, c.shape.kv_heads * c.shape.value_width, first, count));
    trial.run();
    const auto part = trial.result(out);
    all.insert(all.end(), part.begin(), part.end());
    first += count;
  }
  return all;
}

const Shape kShapes[] = {{3, 3, 8, 8}, {4, 2, 20, 20}, {6, 1, 16, 24}, {2, 2, 5, 3}, {40, 1, 7, 7}, {1, 1, 33, 17}};

}  // namespace

TEST_CASE("attention over packed sequences is softmax of scores, for every head arrangement, reader and level") {
  for (kernels::Level level : levels())
    for (const Shape& shape : kShapes) {
      CAPTURE(kernels::name(level));
      CAPTURE(shape.key_width);
      check_own({shape, Reader::bidirectional}, {5, 1, 70}, level, 1);
      check_own({shape, Reader::causal}, {3, 130}, level, 2);
      check_own({.shape = shape, .reader = Reader::window, .window = 7}, {90, 4}, level, 1);
      check_own({.shape = shape, .reader = Reader::window, .window = 6, .both_sides = true}, {140, 2}, level, 3);
    }
}

TEST_CASE("a sequence without rows in the batch changes nothing") {
  check_own({kShapes[1], Reader::bidirectional}, {0, 9, 0, 4, 0}, kernels::Level::portable, 2);
}

TEST_CASE("attention over pages agrees with the oracle in every state encoding") {
  constexpr uint32_t kTokens = 150;
  for (kernels::Level level : levels())
    for (const Shape& shape : kShapes)
      for (kernels::StateEncoding encoding : {kernels::StateEncoding::f32, kernels::StateEncoding::f16, kernels::StateEncoding::int8}) {
        const double tolerance = encoding == kernels::StateEncoding::f32 ? 2e-5 : encoding == kernels::StateEncoding::f16 ? 4e-3 : 4e-2;
        CAPTURE(kernels::name(level));
        CAPTURE(static_cast<int>(encoding));
        for (const Case& c : {Case{shape}, Case{.shape = shape, .reader = Reader::window, .window = 37}}) {
          const auto q = random_numbers(kTokens * shape.heads * shape.key_width, 4),
                     k = random_numbers(kTokens * shape.kv_heads * shape.key_width, 5),
                     v = random_numbers(kTokens * shape.kv_heads * shape.value_width, 6);
          check_close(through_state(c, q, k, v, {60, 1, 1, 88}, encoding, level, 1), oracle(c)(q, k, v), tolerance);
        }
      }
}

TEST_CASE("results are the same bytes for any chunks of the prompt and any number of threads") {
  constexpr uint32_t kTokens = 140;
  for (kernels::Level level : levels())
    for (const Shape& shape : kShapes)
      for (kernels::StateEncoding encoding : {kernels::StateEncoding::f32, kernels::StateEncoding::f16, kernels::StateEncoding::int8}) {
        for (const Case& c : {Case{shape}, Case{.shape = shape, .reader = Reader::window, .window = 30, .softcap = 5}}) {
          CAPTURE(kernels::name(level));
          const auto q = random_numbers(kTokens * shape.heads * shape.key_width, 7),
                     k = random_numbers(kTokens * shape.kv_heads * shape.key_width, 8),
                     v = random_numbers(kTokens * shape.kv_heads * shape.value_width, 9);
          const auto whole = through_state(c, q, k, v, {kTokens}, encoding, level, 1);
          CHECK(whole == through_state(c, q, k, v, {kTokens}, encoding, level, 3));
          CHECK(whole == through_state(c, q, k, v, {64, 64, 12}, encoding, level, 1));
          CHECK(whole == through_state(c, q, k, v, {1, 2, 61, 1, 50, 25}, encoding, level, 2));
          CHECK(whole == through_state(c, q, k, v, std::vector<uint32_t>(kTokens, 1), encoding, level, 1));
        }
      }
}

TEST_CASE("a neighbour in the batch changes no bit of a sequence's rows") {
  const Shape shape = kShapes[1];
  const size_t q_columns = shape.heads * shape.key_width, k_columns = shape.kv_heads * shape.key_width;
  for (kernels::Level level : levels()) {
    const auto run = [&](const std::vector<uint32_t>& lengths, size_t first) {
      size_t total = 0;
      for (uint32_t length : lengths) total += length;
      // The sequence of interest has the same numbers wherever it stands.
      auto q = random_numbers(total * q_columns, 10), k = random_numbers(total * k_columns, 11), v = random_numbers(total * k_columns, 12);
      const auto own_q = random_numbers(70 * q_columns, 13), own_k = random_numbers(70 * k_columns, 14),
                 own_v = random_numbers(70 * k_columns, 15);
      std::copy(own_q.begin(), own_q.end(), q.begin() + static_cast<long>(first * q_columns));
      std::copy(own_k.begin(), own_k.end(), k.begin() + static_cast<long>(first * k_columns));
      std::copy(own_v.begin(), own_v.end(), v.begin() + static_cast<long>(first * k_columns));
      Trial trial;
      trial.sequences = lengths.size();
      trial.counts[Symbol::tokens] = lengths;
      trial.level = level;
      const uint32_t qi = trial.input(q, shape.heads * shape.key_width), ki = trial.input(k, shape.kv_heads * shape.key_width),
                     vi = trial.input(v, shape.kv_heads * shape.key_width), out = trial.output(shape.heads * shape.value_width);
      trial.operation<schema::Attention>(options({shape, Reader::bidirectional}, -1), {qi, ki, vi}, {out});
      trial.run();
      return rows_of(trial.result(out), q_columns, first, 70);
    };
    CHECK(run({70}, 0) == run({13, 70, 5}, 13));
  }
}

TEST_CASE("sequences of different depths in one call get what each gets alone") {
  const Case c{.shape = kShapes[1], .reader = Reader::window, .window = 50};
  const size_t q_columns = c.shape.heads * c.shape.key_width, k_columns = c.shape.kv_heads * c.shape.key_width;
  // Three sequences bring these many tokens in each of four calls.
  const std::vector<std::vector<uint32_t>> calls = {{70, 1, 0}, {1, 1, 80}, {1, 66, 1}, {5, 0, 3}};
  for (kernels::Level level : levels()) {
    std::vector<std::vector<float>> q, k, v, together(3);
    for (unsigned s = 0; s < 3; ++s) {
      q.push_back(random_numbers(90 * q_columns, 40 + s));
      k.push_back(random_numbers(90 * k_columns, 50 + s));
      v.push_back(random_numbers(90 * k_columns, 60 + s));
    }
    Trial trial;
    trial.sequences = 3;
    trial.counts[Symbol::tokens] = {0, 0, 0};
    trial.level = level;
    trial.threads = 2;
    trial.encoding = kernels::StateEncoding::f16;
    const uint32_t state = trial.state(c.shape.kv_heads, c.shape.key_width, c.shape.value_width);
    const std::vector<float> none;
    const uint32_t qi = trial.input(none, c.shape.heads * c.shape.key_width), ki = trial.input(none, c.shape.kv_heads * c.shape.key_width),
                   vi = trial.input(none, c.shape.kv_heads * c.shape.value_width), out = trial.output(c.shape.heads * c.shape.value_width);
    trial.operation<schema::Append>([&](auto& builder) { return schema::CreateAppend(builder, state); }, {ki, vi}, {});
    trial.operation<schema::Attention>(options(c, static_cast<int32_t>(state)), {qi}, {out});
    std::vector<size_t> done(3, 0);
    for (const auto& call : calls) {
      std::vector<float> packed_q, packed_k, packed_v;
      const auto pack = [&](std::vector<float>& to, const std::vector<float>& from, size_t columns, size_t first, size_t count) {
        const auto part = rows_of(from, columns, first, count);
        to.insert(to.end(), part.begin(), part.end());
      };
      for (size_t s = 0; s < 3; ++s) {
        pack(packed_q, q[s], q_columns, done[s], call[s]);
        pack(packed_k, k[s], k_columns, done[s], call[s]);
        pack(packed_v, v[s], k_columns, done[s], call[s]);
      }
      trial.counts[Symbol::tokens] = call;
      trial.set(qi, packed_q);
      trial.set(ki, packed_k);
      trial.set(vi, packed_v);
      trial.run();
      size_t first = 0;
      for (size_t s = 0; s < 3; ++s) {
        pack(together[s], trial.result(out), q_columns, first, call[s]);
        first += call[s];
        done[s] += call[s];
      }
    }
    for (size_t s = 0; s < 3; ++s) {
      const uint32_t tokens = static_cast<uint32_t>(done[s]);
      CHECK(together[s] == through_state(c, rows_of(q[s], q_columns, 0, tokens), rows_of(k[s], k_columns, 0, tokens),
                                         rows_of(v[s], k_columns, 0, tokens), {tokens}, kernels::StateEncoding::f16, level, 1));
    }
  }
}

TEST_CASE("a windowed reader needs no page before its window") {
  const Case c{.shape = {2, 1, 8, 8}, .reader = Reader::window, .window = 20};
  const auto q = random_numbers(300 * 16, 70), k = random_numbers(300 * 8, 71), v = random_numbers(300 * 8, 72);
  const auto run = [&](bool give_up) {
    Trial trial;
    trial.counts[Symbol::tokens] = {0};
    const uint32_t state = trial.state(1, 8, 8, schema::StateKind::token, 20);
    const std::vector<float> none;
    const uint32_t qi = trial.input(none, 16), ki = trial.input(none, 8), vi = trial.input(none, 8), out = trial.output(16);
    trial.operation<schema::Append>([&](auto& builder) { return schema::CreateAppend(builder, state); }, {ki, vi}, {});
    trial.operation<schema::Attention>(options(c, static_cast<int32_t>(state)), {qi}, {out});
    REQUIRE(trial.verify().ok());
    std::vector<float> all;
    for (size_t first = 0; first < 300; first += 30) {
      // Positions before first - 19 are seen by no row from now on.
      if (give_up && first >= 20) trial.give_up(static_cast<uint32_t>(first - 19));
      trial.counts[Symbol::tokens] = {30};
      trial.set(qi, rows_of(q, 16, first, 30));
      trial.set(ki, rows_of(k, 8, first, 30));
      trial.set(vi, rows_of(v, 8, first, 30));
      trial.run();
      const auto part = trial.result(out);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  const auto kept = run(false);
  check_close(kept, oracle(c)(q, k, v));
  CHECK(kept == run(true));
}

TEST_CASE("sinks take part in the softmax without a value") {
  const Shape shape = kShapes[1];
  const std::vector<float> sinks = {0.5f, -1.0f, 3.0f, 0.0f};
  const Case c{shape};
  const auto q = random_numbers(80 * shape.heads * shape.key_width, 16), k = random_numbers(80 * shape.kv_heads * shape.key_width, 17),
             v = random_numbers(80 * shape.kv_heads * shape.value_width, 18);
  Oracle expected = oracle(c);
  expected.sinks = &sinks;
  check_close(through_state(c, q, k, v, {50, 30}, kernels::StateEncoding::f32, kernels::Level::portable, 1, sinks), expected(q, k, v));
}

TEST_CASE("values may be the first columns of the keys") {
  const Case c{.shape = {4, 1, 24, 16}, .value_prefix = true};
  const auto q = random_numbers(70 * 4 * 24, 19), k = random_numbers(70 * 24, 20);
  check_close(through_state(c, q, k, std::vector<float>(70 * 16), {40, 30}, kernels::StateEncoding::f32, kernels::Level::portable, 2),
              oracle(c)(q, k, {}));
}

TEST_CASE("a soft-cap, slopes and T5's relative bias bend the scores as their papers say") {
  const Shape shape = {2, 2, 12, 12};
  const std::vector<uint32_t> lengths = {100};
  const auto q = random_numbers(100 * 24, 21), k = random_numbers(100 * 24, 22), v = random_numbers(100 * 24, 23);
  const std::vector<float> slopes = {0.25f, 0.03125f}, table = random_numbers(16 * 2, 24);
  // Hugging Face's T5Attention._relative_position_bucket, 16 buckets, distance 40.
  const auto bucket = [](long relative, bool both) {
    long buckets = 16, result = 0;
    if (both) {
      buckets /= 2;
      if (relative > 0) result += buckets;
      relative = relative < 0 ? -relative : relative;
    } else {
      relative = relative < 0 ? -relative : 0;
    }
    const long exact = buckets / 2;
    if (relative < exact) return result + relative;
    const float growth = std::log(static_cast<float>(relative) / static_cast<float>(exact)) / std::log(40.0f / static_cast<float>(exact));
    return result + std::min(buckets - 1, exact + static_cast<long>(growth * static_cast<float>(buckets - exact)));
  };
  for (int which = 0; which < 4; ++which) {
    CAPTURE(which);
    Trial trial;
    trial.counts[Symbol::tokens] = lengths;
    Case c{.shape = shape, .reader = which == 2 ? Reader::causal : Reader::bidirectional};
    if (which == 0) c.softcap = 2;
    if (which == 1) c.slopes = trial.tensor("slopes", 1, 2, slopes);
    if (which >= 2) c.relative = trial.tensor("relative bias", 16, 2, table), c.distance = 40;
    const uint32_t qi = trial.input(q, 24), ki = trial.input(k, 24), vi = trial.input(v, 24), out = trial.output(24);
    trial.operation<schema::Attention>(options(c, -1), {qi, ki, vi}, {out});
    trial.wants(out);
    const Status status = trial.verify();
    REQUIRE_MESSAGE(status.ok(), status.message());
    trial.run();
    Oracle expected = oracle(c);
    expected.bend = [&](double score, size_t t, size_t s, size_t head) {
      const long relative = static_cast<long>(s) - static_cast<long>(t);
      if (which == 0) return 2 * std::tanh(score / 2);
      if (which == 1) return score - static_cast<double>(slopes[head]) * static_cast<double>(std::labs(relative));
      return score + static_cast<double>(table[static_cast<size_t>(bucket(relative, which == 3)) * 2 + head]);
    };
    check_close(trial.result(out), expected(q, k, v));
  }
}

TEST_CASE("Falcon's slopes multiply the key's position, rounded to bfloat16 as the model was trained, before the scale") {
  const Shape shape = {2, 1, 12, 12};
  const size_t count = 300;
  const auto q = random_numbers(count * 24, 31), k = random_numbers(count * 12, 32), v = random_numbers(count * 12, 33);
  Case c{.shape = shape};
  c.absolute_slopes = true;
  Trial trial;
  trial.counts[Symbol::tokens] = {300};
  c.slopes = trial.tensor("slopes", 1, 2, std::vector<float>{0.25f, 0.70703125f});
  const uint32_t qi = trial.input(q, 24), ki = trial.input(k, 12), vi = trial.input(v, 12), out = trial.output(24);
  trial.operation<schema::Attention>(options(c, -1), {qi, ki, vi}, {out});
  trial.wants(out);
  const Status status = trial.verify();
  REQUIRE_MESSAGE(status.ok(), status.message());
  trial.run();
  // Eight bits of mantissa, ties to even.
  const auto rounded = [](double x) {
    int exponent = 0;
    const double mantissa = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
  };
  Oracle expected = oracle(c);
  expected.bend = [&](double score, size_t, size_t s, size_t head) {
    return score + 0.3 * rounded((head == 0 ? 0.25 : 0.70703125) * rounded(static_cast<double>(s)));
  };
  check_close(trial.result(out), expected(q, k, v), 1e-4);
}

TEST_CASE("the prefix reader sees all committed positions and all rows of the call") {
  const Case c{.shape = {2, 1, 8, 8}, .reader = Reader::prefix};
  const auto q = random_numbers(90 * 16, 25), k = random_numbers(90 * 8, 26), v = random_numbers(90 * 8, 27);
  const auto got = through_state(c, q, k, v, {70, 20}, kernels::StateEncoding::f32, kernels::Level::portable, 1);
  Oracle expected = oracle(c);
  expected.sees = [](size_t t, size_t s) { return s < (t < 70 ? 70u : 90u); };
  check_close(got, expected(q, k, v));
}

TEST_CASE("infinite and NaN keys end in numbers of some kind, and only where they are seen") {
  for (kernels::Level level : levels()) {
    const Case c{.shape = {1, 1, 9, 9}};
    const auto q = random_numbers(70 * 9, 28);
    auto k = random_numbers(70 * 9, 29), v = random_numbers(70 * 9, 30);
    const auto clean = through_state(c, q, k, v, {70}, kernels::StateEncoding::f32, level, 1);
    k[66 * 9] = std::numeric_limits<float>::quiet_NaN();
    v[67 * 9 + 3] = std::numeric_limits<float>::infinity();
    const auto dirty = through_state(c, q, k, v, {70}, kernels::StateEncoding::f32, level, 1);
    CHECK(rows_of(clean, 9, 0, 66) == rows_of(dirty, 9, 0, 66));
  }
}
