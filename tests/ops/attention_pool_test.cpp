// Queries that are not the rows they look at: one learned query for each picture, as SigLIP's pooling head has it.
#include <doctest/doctest.h>

#include "attention_oracle.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::Reader;
using Numbers = std::vector<float>;

namespace {

constexpr uint32_t kHeads = 4, kGroups = 2, kWidth = 6;

struct Pooling {
  Reader reader = Reader::bidirectional;
  bool slopes = false;
  Rows value_rows = tokens();
};

/// Two queries for each of three sequences of 70, 0 and 3 rows.
std::string run(Trial& trial, const Pooling& p, uint32_t* out) {
  trial.sequences = 3;
  trial.counts[Symbol::tokens] = {70, 0, 3};
  const Rows query_rows = {.symbol = Symbol::none, .per_sequence = 2};
  const int32_t slopes = p.slopes ? trial.tensor("slopes", 1, kHeads, Numbers(kHeads, 1)) : -1;
  const uint32_t q = trial.input(random_numbers(6 * kHeads * kWidth, 1), kHeads * kWidth, query_rows);
  const uint32_t k = trial.input(random_numbers(73 * kGroups * kWidth, 2), kGroups * kWidth);
  const uint32_t v = trial.input(random_numbers(73 * kGroups * kWidth, 3), kGroups * kWidth, p.value_rows);
  *out = trial.output(kHeads * kWidth, query_rows);
  trial.operation<schema::Attention>(
      [&](auto& builder) {
        return schema::CreateAttention(builder, -1, p.reader, kHeads, kGroups, kWidth, kWidth, 0.4f, 0, p.reader == Reader::window ? 4 : 0,
                                       false, -1, slopes);
      },
      {q, k, v}, {*out});
  return trial.run_verified(*out);
}

Numbers part(const Numbers& all, size_t first, size_t count) {
  return {all.begin() + static_cast<long>(first), all.begin() + static_cast<long>(first + count)};
}

}  // namespace

TEST_CASE("queries see all rows of their own sequence, however many there are") {
  Oracle oracle{kHeads, kGroups, kWidth, kWidth, static_cast<double>(0.4f), [](size_t, size_t) { return true; }};
  const Numbers q = random_numbers(6 * kHeads * kWidth, 1), k = random_numbers(73 * kGroups * kWidth, 2),
                v = random_numbers(73 * kGroups * kWidth, 3);
  const size_t wide = 2 * kHeads * kWidth, row = kGroups * kWidth;
  Numbers expected = oracle(part(q, 0, wide), part(k, 0, 70 * row), part(v, 0, 70 * row));
  expected.resize(2 * wide);  // a sequence without rows: zeros
  const Numbers last = oracle(part(q, 2 * wide, wide), part(k, 70 * row, 3 * row), part(v, 70 * row, 3 * row));
  expected.insert(expected.end(), last.begin(), last.end());
  Numbers first_run;
  for (const uint32_t threads : {1u, 4u}) {
    Trial trial;
    trial.threads = threads;
    uint32_t out = 0;
    REQUIRE(run(trial, {}, &out) == "");
    const Numbers got = trial.result(out);
    REQUIRE(got.size() == expected.size());
    for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == doctest::Approx(expected[i]).epsilon(2e-5));
    if (first_run.empty()) first_run = got;
    CHECK(got == first_run);
  }
}

TEST_CASE("where a row's place counts, queries and keys have the same rows, and values always those of the keys") {
  const auto refusal = [](const Pooling& p) {
    Trial trial;
    uint32_t out = 0;
    return run(trial, p, &out);
  };
  CHECK(refusal({.reader = Reader::causal}).find("keys have other rows than the queries") != std::string::npos);
  CHECK(refusal({.reader = Reader::window}).find("keys have other rows than the queries") != std::string::npos);
  CHECK(refusal({.slopes = true}).find("keys have other rows than the queries") != std::string::npos);
  CHECK(refusal({.value_rows = {.symbol = Symbol::none, .per_sequence = 2}}).find("values have other rows than the keys") !=
        std::string::npos);
}
