// Files that older versions of this library wrote. They stay as they are; every later reader finds the same in them.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "format/listing.h"
#include "format/open_model.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

std::string read_all(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the file of version 1 opens, verifies and says what it always said") {
  const std::string data = LINNET_SOURCE_DIR "/tests/format/data/";
  const Result<Model> model = Model::open((data + "version1.linnet").c_str(), {.verify_checksums = true});
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  CHECK(listing(*model) == read_all(data + "version1.txt"));
  CHECK(model->hash() == 0xfa248a96cf118bb1u);
}
