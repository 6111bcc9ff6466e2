#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;

namespace {

constexpr Rows kImages = {.symbol = Symbol::images};

struct Picture {
  uint32_t channels, height, width, patch;
};

std::string run(Trial& trial, const Picture& p, uint32_t columns, Rows rows, uint32_t* out) {
  const uint32_t patches = p.patch == 0 ? 1 : std::max(1u, (p.height / p.patch) * (p.width / p.patch));
  const uint32_t x = trial.input(random_numbers(size_t{columns} * trial.sequences, 3), columns, rows);
  rows.multiply *= patches;
  *out = trial.output(p.channels * p.patch * p.patch, rows);
  trial.operation<schema::Patchify>([&](auto& builder) { return schema::CreatePatchify(builder, p.channels, p.height, p.width, p.patch); },
                                    {x}, {*out});
  return trial.run_verified(*out);
}

}  // namespace

TEST_CASE("a picture is cut into squares line by line, each with its channels one after the other") {
  Trial trial;
  trial.counts[Symbol::images] = {1};
  // Two channels of 2 x 4: squares of 2.
  const uint32_t x = trial.input(Numbers{0, 1, 2, 3, 10, 11, 12, 13, 100, 101, 102, 103, 110, 111, 112, 113}, 16, kImages);
  const uint32_t out = trial.output(8, {.symbol = Symbol::images, .multiply = 2});
  trial.operation<schema::Patchify>([](auto& builder) { return schema::CreatePatchify(builder, 2, 2, 4, 2); }, {x}, {out});
  REQUIRE(trial.run_verified(out) == "");
  CHECK(trial.result(out) == Numbers{0, 1, 10, 11, 100, 101, 110, 111, 2, 3, 12, 13, 102, 103, 112, 113});
}

TEST_CASE("what is left over at the right and at the bottom is not read, whatever the number of threads") {
  const Picture p = {3, 7, 11, 3};
  for (const uint32_t threads : {1u, 4u}) {
    Trial trial;
    trial.threads = threads;
    trial.sequences = 3;
    trial.counts[Symbol::images] = {1, 1, 1};
    uint32_t out = 0;
    REQUIRE(run(trial, p, 3 * 7 * 11, kImages, &out) == "");
    const Numbers x = random_numbers(3 * 3 * 7 * 11, 3), got = trial.result(out);
    REQUIRE(got.size() == 3 * 6 * 27);
    for (size_t image = 0, at = 0; image < 3; ++image)
      for (size_t patch = 0; patch < 6; ++patch)
        for (size_t channel = 0; channel < 3; ++channel)
          for (size_t y = 0; y < 3; ++y)
            for (size_t c = 0; c < 3; ++c)
              REQUIRE(got[at++] == x[((image * 3 + channel) * 7 + patch / 3 * 3 + y) * 11 + patch % 3 * 3 + c]);
  }
}

TEST_CASE("pictures that are no pictures are refused") {
  const auto refusal = [](const Picture& p, uint32_t columns, Rows rows = kImages) {
    Trial trial;
    trial.counts[Symbol::images] = {1};
    uint32_t out = 0;
    return run(trial, p, columns, rows, &out);
  };
  CHECK(refusal({3, 4, 4, 2}, 48) == "");
  CHECK(refusal({3, 4, 4, 2}, 47).find("pictures of 47 columns") != std::string::npos);
  CHECK(refusal({3, 4, 4, 5}, 48).find("squares of 5") != std::string::npos);
  CHECK(refusal({3, 4, 4, 0}, 48) != "");
  CHECK(refusal({0, 4, 4, 2}, 48) != "");
  CHECK(refusal({UINT32_MAX, UINT32_MAX, UINT32_MAX, 2}, 48) != "");
  CHECK(refusal({1, 65, 64, 1}, 65 * 64).find("at most 4096") != std::string::npos);
  CHECK(refusal({3, 4, 4, 2}, 48, {.symbol = Symbol::images, .constant = 1}) != "");
}
