#include <doctest/doctest.h>

#include <numeric>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;

namespace {

struct Joining {
  uint32_t rows, split, grid_columns = 0;
};

struct Joined {
  std::string refusal;
  Numbers numbers;
};

/// Rows of `columns` numbers 0, 1, 2, ... of one picture that brings `of_each` of them.
Joined join(uint32_t of_each, uint32_t columns, Joining options, Rows out_rows, uint32_t out_columns, uint32_t threads = 1,
            Rows more = {}) {
  Trial trial;
  trial.threads = threads;
  trial.counts[Symbol::images] = {1};
  Numbers numbers(size_t{of_each} * columns);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  more.symbol = Symbol::images;
  more.multiply = of_each;
  const uint32_t x = trial.input(numbers, columns, more), out = trial.output(out_columns, out_rows);
  trial.operation<schema::JoinRows>(
      [&](auto& builder) { return schema::CreateJoinRows(builder, options.rows, options.split, options.grid_columns); }, {x}, {out});
  const std::string refusal = trial.run_verified(out);
  return {refusal, refusal.empty() ? trial.result(out) : Numbers()};
}

Rows images(uint32_t of_each) { return {.symbol = Symbol::images, .multiply = of_each}; }

}  // namespace

TEST_CASE("rows are put side by side and cut again, and the numbers stay where they are") {
  Numbers all(24);
  std::iota(all.begin(), all.end(), 0.0f);
  CHECK(join(4, 6, {2, 1}, images(2), 12).numbers == all);
  CHECK(join(4, 6, {1, 3}, images(12), 2).numbers == all);
  CHECK(join(4, 6, {4, 3, 0}, images(3), 8, 3).numbers == all);
}

TEST_CASE("squares of a picture are joined line by line, the squares line by line") {
  // 4 lines of 6 rows with one number each.
  const Numbers expected = {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 12, 13, 18, 19, 14, 15, 20, 21, 16, 17, 22, 23};
  for (const uint32_t threads : {1u, 3u}) CHECK(join(24, 1, {4, 1, 6}, images(6), 4, threads).numbers == expected);
}

TEST_CASE("rows that cannot be joined or cut evenly are refused") {
  CHECK(join(4, 6, {3, 1}, images(1), 18).refusal.find("cannot be joined in 3") != std::string::npos);
  CHECK(join(4, 6, {1, 4}, images(16), 1).refusal.find("cannot be cut into 4") != std::string::npos);
  CHECK(join(4, 6, {0, 1}, images(4), 6).refusal != "");
  CHECK(join(4, 6, {1, 0}, images(4), 6).refusal != "");
  CHECK(join(24, 1, {3, 1, 6}, images(8), 3).refusal.find("squares of 3") != std::string::npos);
  CHECK(join(24, 1, {4, 1, 5}, images(6), 4).refusal.find("pictures of 5") != std::string::npos);
  CHECK(join(24, 1, {4, 1, 8}, images(6), 4).refusal.find("no picture of 8") != std::string::npos);
  CHECK(join(4, 6, {2, 1}, images(2), 12, 1, {.per_sequence = 1}).refusal != "");
  CHECK(join(4, 6, {2, 1}, images(2), 12, 1, {.constant = 2}).refusal != "");
  CHECK(join(4096, 2, {1, 2}, images(8192), 1).refusal.find("more than 4096") != std::string::npos);
}
