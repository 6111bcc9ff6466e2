// Windows with global tokens, and global tokens' own rows, against the definition.
#include <doctest/doctest.h>

#include "attention_oracle.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::Reader;

namespace {

constexpr uint32_t kHeads = 4, kKeyHeads = 2, kWidth = 9, kColumns = kHeads * kWidth, kKeyColumns = kKeyHeads * kWidth;

auto attention(Reader reader, uint32_t window, uint32_t value_width = kWidth) {
  return [=](flatbuffers::FlatBufferBuilder& builder) {
    schema::AttentionBuilder made(builder);
    made.add_reader(reader);
    made.add_heads(kHeads);
    made.add_kv_heads(kKeyHeads);
    made.add_key_width(kWidth);
    made.add_value_width(value_width);
    made.add_scale(0.3f);
    made.add_window(window);
    made.add_both_sides(reader == Reader::window);
    made.add_global_tokens(true);
    return made.Finish();
  };
}

/// About one token in `every`, 0 = none.
std::vector<int32_t> marks(size_t count, uint32_t every) {
  std::mt19937 random(every);
  std::vector<int32_t> all(count);
  for (int32_t& mark : all) mark = every != 0 && random() % every == 0;
  return all;
}

struct Numbers {
  explicit Numbers(size_t tokens)
      : q(random_numbers(tokens * kColumns, 1)),
        k(random_numbers(tokens * kKeyColumns, 2)),
        v(random_numbers(tokens * kKeyColumns, 3)),
        others(random_numbers(tokens * kColumns, 4)) {}
  std::vector<float> q, k, v, others;
};

std::vector<float> run(Reader reader, uint32_t window, const std::vector<uint32_t>& lengths, const std::vector<int32_t>& globals,
                       const Numbers& n, kernels::Level level, uint32_t threads) {
  Trial trial;
  trial.sequences = lengths.size();
  trial.counts[Symbol::tokens] = lengths;
  trial.level = level;
  trial.threads = threads;
  std::vector<uint32_t> in = {trial.input(n.q, kColumns), trial.input(n.k, kKeyColumns), trial.input(n.v, kKeyColumns),
                              trial.input(globals, 1, 2, tokens(), schema::Role::global_tokens)};
  if (reader == Reader::bidirectional) in.push_back(trial.input(n.others, kColumns));
  const uint32_t out = trial.output(kColumns);
  trial.operation<schema::Attention>(attention(reader, window), in, {out});
  REQUIRE(trial.run_verified(out) == "");
  return trial.result(out);
}

std::vector<float> part(const std::vector<float>& all, size_t columns, size_t first, size_t count) {
  return {all.begin() + static_cast<long>(first * columns), all.begin() + static_cast<long>((first + count) * columns)};
}

void check(Reader reader, uint32_t window, const std::vector<uint32_t>& lengths, uint32_t every, kernels::Level level) {
  CAPTURE(kernels::name(level));
  CAPTURE(every);
  size_t total = 0;
  for (uint32_t length : lengths) total += length;
  const Numbers n(total);
  const std::vector<int32_t> globals = marks(total, every);
  const std::vector<float> got = run(reader, window, lengths, globals, n, level, 2);
  size_t first = 0;
  for (uint32_t length : lengths) {
    Oracle oracle{kHeads, kKeyHeads, kWidth, kWidth, 0.3, [&](size_t t, size_t s) {
                    return reader == Reader::bidirectional || globals[first + s] == 1 || (s + window >= t && s <= t + window);
                  }};
    const std::vector<float> want =
        oracle(part(n.q, kColumns, first, length), part(n.k, kKeyColumns, first, length), part(n.v, kKeyColumns, first, length));
    for (size_t i = 0; i < want.size(); ++i) {
      const size_t at = first * kColumns + i;
      const bool copied = reader == Reader::bidirectional && globals[at / kColumns] == 0;
      REQUIRE(std::fabs(double(got[at]) - double(copied ? n.others[at] : want[i])) < 3e-5);
    }
    first += length;
  }
}

}  // namespace

TEST_CASE("a token sees its window and every global token once") {
  for (kernels::Level level : levels())
    for (uint32_t every : {0u, 1u, 2u, 9u, 40u}) {
      check(Reader::window, 5, {150, 1, 0, 70}, every, level);
      check(Reader::window, 64, {300}, every, level);
    }
}

TEST_CASE("global tokens see everything, and the rows of the others are handed on") {
  for (kernels::Level level : levels())
    for (uint32_t every : {0u, 1u, 3u, 40u}) check(Reader::bidirectional, 0, {150, 1, 0, 70}, every, level);
}

TEST_CASE("global tokens give the same bytes for any threads and neighbours") {
  const Numbers n(230);
  const std::vector<int32_t> globals = marks(230, 7);
  const std::vector<int32_t> first(globals.begin(), globals.begin() + 150);
  Numbers alone(230);
  for (Reader reader : {Reader::window, Reader::bidirectional})
    for (kernels::Level level : levels()) {
      for (auto* numbers : {&alone.q, &alone.others}) numbers->resize(150 * kColumns);
      for (auto* numbers : {&alone.k, &alone.v}) numbers->resize(150 * kKeyColumns);
      const std::vector<float> a = run(reader, reader == Reader::window ? 6 : 0, {150}, first, alone, level, 1);
      const std::vector<float> b = run(reader, reader == Reader::window ? 6 : 0, {150, 80}, globals, n, level, 3);
      CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
    }
}

TEST_CASE("marks of global tokens that do not fit are refused") {
  const auto refusal = [](Reader reader, uint32_t window, uint32_t bound, size_t inputs) {
    Trial trial;
    trial.counts[Symbol::tokens] = {3};
    const Numbers n(3);
    std::vector<uint32_t> in = {trial.input(n.q, kColumns), trial.input(n.k, kKeyColumns), trial.input(n.v, kKeyColumns),
                                trial.input(std::vector<int32_t>(3), 1, bound), trial.input(n.k, kKeyColumns)};
    in.resize(inputs);
    const uint32_t out = trial.output(kColumns);
    trial.operation<schema::Attention>(attention(reader, window), in, {out});
    trial.wants(out);
    return std::string(trial.verify().message());
  };
  CHECK(refusal(Reader::window, 2, 2, 4) == "");
  CHECK(refusal(Reader::window, 2, 3, 4).find("a bound of 3, expected 1 and 2") != std::string::npos);
  CHECK(refusal(Reader::window, 2, 2, 3).find("3 inputs, expected 4") != std::string::npos);
  CHECK(refusal(Reader::bidirectional, 0, 2, 4).find("4 inputs, expected 5") != std::string::npos);
  CHECK(refusal(Reader::bidirectional, 0, 2, 5).find("rows of other tokens with 18 columns, expected 36") != std::string::npos);
  CHECK(refusal(Reader::causal, 0, 2, 4).find("a window on both sides or bidirectional") != std::string::npos);
}
