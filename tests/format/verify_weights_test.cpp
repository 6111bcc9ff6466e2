#include <doctest/doctest.h>

#include <limits>

#include "format/open_model.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

Outcome verified(const TinyModel& tiny) {
  const AlignedBytes aligned(tiny.file());
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  const Status status = model->verify();
  // Asked at open, the answer is the same.
  const Outcome at_open = open_outcome(tiny.file(), {.verify_checksums = true});
  CHECK(at_open.code == status.code());
  CHECK(at_open.message == status.message());
  return {status.code(), status.message()};
}

// Where tensor `i` has its float `scale` behind `panels` bytes.
void set_float(TinyModel& tiny, size_t tensor, size_t at, float number) {
  TinyTensor& place = tiny.tensors[tensor];
  std::memcpy(tiny.weights.data() + place.offset + at, &number, 4);
  place.checksum = format::checksum(tiny.weights.data() + place.offset, place.bytes);
}

}  // namespace

TEST_CASE("whole weights verify") { CHECK(verified(tiny_decoder()).code == Code::ok); }

TEST_CASE("every flipped bit of the weights is found and its tensor named") {
  const TinyModel right = tiny_encoder();
  for (size_t i = 0; i < right.tensors.size(); ++i)
    for (size_t byte = 0; byte < right.tensors[i].bytes; byte += 5) {
      TinyModel bent = right;
      bent.weights[bent.tensors[i].offset + byte] ^= static_cast<uint8_t>(1 << byte % 8);
      const Outcome outcome = verified(bent);
      CHECK(outcome.code == Code::corrupt);
      CHECK(outcome.message == "model in memory: tensor \"" + right.tensors[i].name + "\": its checksum is wrong");
    }
}

TEST_CASE("a tensor without a checksum is not compared") {
  TinyModel tiny = tiny_encoder();
  tiny.tensors[0].checksum = 0;
  tiny.weights[0] ^= 1;
  CHECK(verified(tiny).code == Code::ok);
}

TEST_CASE("scales that are not finite are found, those of padding rows too") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  // "qkv" has 36 rows: 5 panels of 8 x 64 bytes, then 40 scales.
  for (size_t row : {0, 17, 35, 39})
    for (float wrong : {nan, infinity, -infinity}) {
      TinyModel tiny = tiny_decoder();
      set_float(tiny, 2, 5 * 512 + row * 4, wrong);
      const Outcome outcome = verified(tiny);
      CHECK(outcome.code == Code::corrupt);
      CHECK(outcome.message == "model in memory: tensor \"qkv\" has a scale that is not finite");
    }
  TinyModel tiny = tiny_decoder();
  set_float(tiny, 2, 5 * 512, std::numeric_limits<float>::denorm_min());
  CHECK(verified(tiny).code == Code::ok);
}

TEST_CASE("both numbers of an int4 row are looked at") {
  // A table that no operation reads: 9 rows of 40 columns are 2 panels of one scale line and 2 x 2 lines, then 16 R and 16 M.
  const size_t panels = 2 * (64 + 4 * 64);
  for (size_t number : {size_t{0}, size_t{8}, size_t{16}, size_t{31}}) {
    TinyModel tiny = tiny_encoder();
    tiny.requirements.push_back("encoding:int4");
    tiny.add({.name = "four bits", .encoding = schema::Encoding::int4, .rows = 9, .columns = 40, .group = 32}, Bytes(panels + 128));
    CHECK(verified(tiny).code == Code::ok);
    set_float(tiny, 5, panels + number * 4, std::numeric_limits<float>::infinity());
    CHECK(verified(tiny).message == "model in memory: tensor \"four bits\" has a scale that is not finite");
  }
}

TEST_CASE("an exponent of mxfp4 that stands for no number is found in any panel and scale line, and a weight of the same bits is none") {
  // 9 rows of 300 columns, padded to 320: 10 groups, so two panels of 8 and of 2 groups behind their scale lines.
  const size_t panel = 2 * 64 + 10 * 128;
  const auto outcome_at = [&](size_t byte) {
    TinyModel tiny = tiny_encoder();
    tiny.requirements.push_back("encoding:mxfp4");
    Bytes bytes(2 * panel);
    bytes[byte] = 255;
    tiny.add({.name = "four bits", .encoding = schema::Encoding::mxfp4, .rows = 9, .columns = 300, .group = 32}, bytes);
    return verified(tiny);
  };
  for (size_t byte : {size_t{0}, size_t{63}, size_t{64 + 8 * 128}, panel, panel + 64 + 8 * 128 + 15})
    CHECK(outcome_at(byte).message == "model in memory: tensor \"four bits\" has a scale that is not finite");
  for (size_t byte : {size_t{64}, size_t{64 + 8 * 128 + 64}, 2 * panel - 1}) CHECK(outcome_at(byte).code == Code::ok);
}

TEST_CASE("scales of stacked matrices are each looked at") {
  for (size_t matrix : {0, 1, 2}) {
    TinyModel tiny = tiny_encoder();
    tiny.requirements.push_back("encoding:int8");
    // 8 rows of 60: 512 bytes and 8 scales, up to 576; three of them.
    tiny.add({.name = "experts", .encoding = schema::Encoding::int8, .rows = 8, .columns = 60, .count = 3}, Bytes(3 * 576));
    set_float(tiny, 5, matrix * 576 + 512 + 7 * 4, std::numeric_limits<float>::quiet_NaN());
    CHECK(verified(tiny).code == Code::corrupt);
  }
}

TEST_CASE("progress counts every tensor's bytes up to their sum, and can stop") {
  const AlignedBytes aligned(tiny_encoder().file());
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  REQUIRE(model.ok());
  struct Seen {
    std::vector<uint64_t> done;
    uint64_t total = 0;
    size_t stop_after = 100;
  } seen;
  auto progress = [](void* user, uint64_t done, uint64_t total) {
    Seen& to = *static_cast<Seen*>(user);
    to.done.push_back(done);
    to.total = total;
    return to.done.size() < to.stop_after;
  };
  CHECK(model->verify(progress, &seen).ok());
  const uint64_t sum = 528 + 48 + 48 + 240 + 20;
  CHECK(seen.done == std::vector<uint64_t>{528, 576, 624, 864, sum});
  CHECK(seen.total == sum);
  seen = {};
  seen.stop_after = 2;
  CHECK(model->verify(progress, &seen).code() == Code::cancelled);
  CHECK(seen.done.size() == 2);
}
