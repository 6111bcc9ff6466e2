#include "linnet/pictures.h"

#include <doctest/doctest.h>

#include <vector>

#include "linnet/tasks.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;
using Places = std::vector<int32_t>;

namespace {

PictureFormat format_of(uint32_t merge) {
  PictureFormat format;
  format.token = 9;
  format.merge = merge;
  format.any_size = format.three_axes = true;
  return format;
}

}  // namespace

TEST_CASE("patches are given part by part, and within each line by line") {
  Places places(4 * 2 * 4);
  must(picture_places(format_of(2), {1, 2, 4}, places));
  CHECK(places == Places{0, 0, 2, 4, 0, 1, 2, 4, 1, 0, 2, 4, 1, 1, 2, 4, 0, 2, 2, 4, 0, 3, 2, 4, 1, 2, 2, 4, 1, 3, 2, 4});
  CHECK(picture_places(format_of(2), {1, 2, 3}, places).code() == Code::invalid_argument);
  CHECK(picture_places(format_of(2), {1, 0, 4}, places).code() == Code::invalid_argument);
  CHECK(picture_places(format_of(2), {1, 4, 4}, places).code() == Code::invalid_argument);
  CHECK(picture_places(format_of(2), {1, 8000, 8000}, places).code() == Code::invalid_argument);
}

TEST_CASE("a text counts on behind a picture's longer side, and a film's frames on the first axis") {
  const PictureFormat format = format_of(2);
  const std::vector<PictureGrid> grids = {{1, 2, 6}, {2, 4, 2}};
  const Places tokens = {1, 9, 9, 9, 2, 9, 9, 9, 9, 3};
  Places positions(tokens.size() * 3);
  int32_t next = 0;
  must(picture_positions(format, tokens, grids, 0, positions, &next));
  CHECK(positions == Places{0, 0, 0, 1, 1, 1, 1, 1, 2, 1, 1, 3, 4, 4, 4, 5, 5, 5, 5, 6, 5, 6, 5, 5, 6, 6, 5, 7, 7, 7});
  CHECK(next == 8);
  const Places plain = {1, 2};
  Places two(6);
  must(picture_positions(format, plain, {}, 100, two, &next));
  CHECK(two == Places{100, 100, 100, 101, 101, 101});
  CHECK(next == 102);
}

TEST_CASE("texts whose places are not those of their pictures are refused") {
  const PictureFormat format = format_of(2);
  const std::vector<PictureGrid> two = {{1, 2, 2}, {1, 2, 2}}, wide = {{1, 2, 6}};
  Places positions(9);
  int32_t next = 0;
  const auto refusal = [&](const Places& tokens, const std::vector<PictureGrid>& grids, int32_t first = 0) {
    return picture_positions(format, tokens, grids, first, positions, &next).code();
  };
  CHECK(refusal({9, 1, 9}, two) == Code::ok);
  CHECK(refusal({9, 1, 1}, two) == Code::invalid_argument);
  CHECK(refusal({9, 9, 9}, two) == Code::invalid_argument);
  CHECK(refusal({9, 9, 1}, wide) == Code::invalid_argument);
  CHECK(refusal({1, 9, 9}, wide) == Code::invalid_argument);
  CHECK(refusal({1, 2}, {}) == Code::invalid_argument);
  CHECK(refusal({1, 2, 3}, {}, -1) == Code::invalid_argument);
  CHECK(refusal({1, 2, 3}, {}, (1 << 24) - 1) == Code::invalid_argument);
}

TEST_CASE("a model without pictures says so") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  CHECK(picture_format(model).status().code() == Code::unsupported);
  std::vector<float> numbers(2), score(1);
  CHECK(similarity(model, {numbers.data(), 1, 2}, {numbers.data(), 1, 2}, score).code() == Code::unsupported);
}
