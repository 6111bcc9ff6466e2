#include <doctest/doctest.h>

#include "convert/architectures/translation_golden.h"

TEST_CASE("Switch Transformers gives what the reference gives, at every number of bits") {
  linnet::convert::check_translation_goldens({"switch_transformers"});
}
