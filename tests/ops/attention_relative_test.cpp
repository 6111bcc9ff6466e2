// Scores by relative position (schema/FORMAT.md), against the sums written out pair by pair.
#include <doctest/doctest.h>

#include "attention_oracle.h"
#include "core/half.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;

namespace {

struct Tables {
  uint32_t heads, width, span, distance;
  bool keys = true, queries = true, half = false;
  uint32_t rows() const { return 2 * span; }
  uint32_t columns() const { return heads * width; }
};

constexpr float kScale = 0.21f;

// c(r) of FORMAT.md, word for word.
size_t row_of(const Tables& t, long r) {
  const long span = t.span, middle = span / 2, size = std::labs(r);
  long bucket = r;
  if (t.distance != 0 && size > middle) {
    const double growth = std::log(double(size) / double(middle)) / std::log((double(t.distance) - 1) / double(middle));
    bucket = (r < 0 ? -1 : 1) * (static_cast<long>(std::ceil(growth * double(middle - 1) - 1e-6)) + middle);
  }
  return static_cast<size_t>(std::max(0L, std::min(bucket + span, 2 * span - 1)));
}

int32_t tensor(Trial& trial, const char* name, const Tables& t, const std::vector<float>& numbers) {
  const int32_t index = trial.tensor(name, t.rows(), t.columns(), numbers);
  if (!t.half) return index;
  format::Tensor& stored = trial.tensors()[static_cast<size_t>(index)];
  auto* halves = const_cast<uint16_t*>(reinterpret_cast<const uint16_t*>(stored.data));
  for (size_t i = 0; i < numbers.size(); ++i) halves[i] = core::half_from_float(numbers[i]);
  stored.encoding = schema::Encoding::f16;
  stored.bytes = numbers.size() * sizeof(uint16_t);
  return index;
}

struct Numbers {
  Numbers(const Tables& t, size_t tokens)
      : q(random_numbers(tokens * t.columns(), 1)),
        k(random_numbers(tokens * t.columns(), 2)),
        v(random_numbers(tokens * t.columns(), 3)),
        keys(random_numbers(t.rows() * t.columns(), 4)),
        queries(random_numbers(t.rows() * t.columns(), 5)) {}
  std::vector<float> q, k, v, keys, queries;
};

auto attention(const Tables& t, int32_t keys, int32_t queries) {
  return [=](flatbuffers::FlatBufferBuilder& builder) {
    schema::AttentionBuilder made(builder);
    made.add_reader(schema::Reader::bidirectional);
    made.add_heads(t.heads);
    made.add_kv_heads(t.heads);
    made.add_key_width(t.width);
    made.add_value_width(t.width);
    made.add_scale(kScale);
    made.add_relative_keys_tensor(keys);
    made.add_relative_queries_tensor(queries);
    made.add_relative_span(t.span);
    made.add_relative_distance(t.distance);
    return made.Finish();
  };
}

std::vector<float> run(const Tables& t, const Numbers& n, const std::vector<uint32_t>& lengths, kernels::Level level, uint32_t threads) {
  Trial trial;
  trial.sequences = lengths.size();
  trial.counts[Symbol::tokens] = lengths;
  trial.level = level;
  trial.threads = threads;
  const uint32_t q = trial.input(n.q, t.columns()), k = trial.input(n.k, t.columns()), v = trial.input(n.v, t.columns()),
                 out = trial.output(t.columns());
  const int32_t keys = t.keys ? tensor(trial, "keys", t, n.keys) : -1, queries = t.queries ? tensor(trial, "queries", t, n.queries) : -1;
  trial.operation<schema::Attention>(attention(t, keys, queries), {q, k, v}, {out});
  REQUIRE(trial.run_verified(out) == "");
  return trial.result(out);
}

std::vector<float> expected(const Tables& t, const Numbers& n, size_t first, size_t count) {
  const auto part = [&](const std::vector<float>& all) {
    return std::vector<float>(all.begin() + static_cast<long>(first * t.columns()),
                              all.begin() + static_cast<long>((first + count) * t.columns()));
  };
  const std::vector<float> q = part(n.q), k = part(n.k);
  Oracle oracle{t.heads, t.heads, t.width, t.width, static_cast<double>(kScale), [](size_t, size_t) { return true; }};
  oracle.bend = [&](double score, size_t i, size_t j, size_t head) {
    const size_t row = row_of(t, static_cast<long>(i) - static_cast<long>(j));
    for (size_t c = head * t.width; c < (head + 1) * t.width; ++c) {
      if (t.keys) score += double(kScale) * double(q[i * t.columns() + c]) * double(n.keys[row * t.columns() + c]);
      if (t.queries) score += double(kScale) * double(k[j * t.columns() + c]) * double(n.queries[row * t.columns() + c]);
    }
    return score;
  };
  return oracle(q, k, part(n.v));
}

void check(const Tables& t, const std::vector<uint32_t>& lengths, kernels::Level level, uint32_t threads) {
  CAPTURE(kernels::name(level));
  CAPTURE(t.span);
  CAPTURE(t.distance);
  size_t total = 0;
  for (uint32_t length : lengths) total += length;
  const Numbers n(t, total);
  const std::vector<float> got = run(t, n, lengths, level, threads);
  std::vector<float> want;
  for (size_t i = 0, first = 0; i < lengths.size(); first += lengths[i++]) {
    const std::vector<float> rows = expected(t, n, first, lengths[i]);
    want.insert(want.end(), rows.begin(), rows.end());
  }
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::fabs(double(got[i]) - double(want[i])));
  CHECK(worst < (t.half ? 2e-2 : 1e-4));
}

}  // namespace

TEST_CASE("scores by relative position are the sum of three products, within and beyond the buckets") {
  for (kernels::Level level : levels()) {
    check({.heads = 2, .width = 12, .span = 8, .distance = 40}, {150, 1, 33}, level, 2);
    check({.heads = 3, .width = 7, .span = 32, .distance = 512}, {97, 64}, level, 1);
    check({.heads = 1, .width = 16, .span = 256, .distance = 512}, {140}, level, 1);
    check({.heads = 1, .width = 20, .span = 9, .distance = 0}, {70, 5}, level, 3);
  }
}

TEST_CASE("either table may be absent, and half precision is read as it is") {
  for (kernels::Level level : levels()) {
    check({.heads = 2, .width = 8, .span = 6, .distance = 30, .keys = true, .queries = false}, {80}, level, 1);
    check({.heads = 2, .width = 8, .span = 6, .distance = 30, .keys = false, .queries = true}, {80}, level, 1);
    check({.heads = 2, .width = 24, .span = 12, .distance = 64, .half = true}, {90, 2}, level, 2);
  }
}

TEST_CASE("buckets that leave rows of the table out are found all the same") {
  // The logarithm's base is near 1, so that neighbouring distances lie several rows apart.
  for (kernels::Level level : levels()) check({.heads = 1, .width = 8, .span = 400, .distance = 240}, {300}, level, 1);
}

TEST_CASE("scores by relative position are the same bytes for any threads and neighbours") {
  const Tables t = {.heads = 2, .width = 12, .span = 8, .distance = 40};
  for (kernels::Level level : levels()) {
    const Numbers n(t, 130);
    const std::vector<float> alone = run(t, n, {100}, level, 1), beside = run(t, n, {100, 30}, level, 3);
    CHECK(std::memcmp(alone.data(), beside.data(), 100 * t.columns() * sizeof(float)) == 0);
  }
}

TEST_CASE("tables by relative position of a wrong shape are refused") {
  const auto refusal = [](const Tables& t, uint32_t rows, uint32_t columns) {
    Trial trial;
    trial.counts[Symbol::tokens] = {4};
    const Numbers n(t, 4);
    const uint32_t q = trial.input(n.q, t.columns()), k = trial.input(n.k, t.columns()), v = trial.input(n.v, t.columns()),
                   out = trial.output(t.columns());
    const int32_t table = trial.tensor("t", rows, columns, std::vector<float>(size_t{rows} * columns));
    trial.operation<schema::Attention>(attention(t, table, -1), {q, k, v}, {out});
    trial.wants(out);
    return std::string(trial.verify().message());
  };
  const Tables t = {.heads = 2, .width = 3, .span = 4, .distance = 20};
  CHECK(refusal(t, 8, 6) == "");
  CHECK(refusal(t, 7, 6).find("expected 8 x 6") != std::string::npos);
  CHECK(refusal(t, 8, 5).find("expected 8 x 6") != std::string::npos);
  Tables wrong = t;
  wrong.distance = 3;
  CHECK(refusal(wrong, 8, 6).find("a relative distance of 3 with a span of 4, expected 0 or 4 to") != std::string::npos);
  wrong.span = 0;
  CHECK(refusal(wrong, 8, 6).find("a relative span of 0") != std::string::npos);
}
