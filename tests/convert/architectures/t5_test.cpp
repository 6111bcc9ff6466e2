#include <doctest/doctest.h>

#include "convert/architectures/translation_golden.h"

TEST_CASE("T5 and its version 1.1 gives what the reference gives, at every number of bits") {
  linnet::convert::check_translation_goldens({"t5"});
}
