#include "format/open_model.h"

#include <doctest/doctest.h>

#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;

TEST_CASE("the tiny models open from memory") {
  for (const TinyModel& tiny : {tiny_encoder(), tiny_decoder()}) {
    const Outcome outcome = open_outcome(tiny.file(), {.verify_checksums = true});
    CHECK_MESSAGE(outcome.code == Code::ok, outcome.message);
  }
}
