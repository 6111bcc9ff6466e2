// The scripts of tools/, as far as they can be tried without changing the machine.
#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const std::string kTools = std::string(LINNET_SOURCE_DIR) + "/tools/";

}  // namespace

TEST_CASE("set-up without root and without sudo says what it takes") {
  Workshop shop;
  // A machine where nothing is installed, and a person who is not root.
  std::filesystem::create_directories(shop.path("bin"));
  shop.write("bin/id", "#!/bin/sh\necho 1000\n");
  shop.write("bin/dpkg-query", "#!/bin/sh\nexit 1\n");
  for (const char* program : {"bin/id", "bin/dpkg-query"})
    std::filesystem::permissions(shop.path(program), std::filesystem::perms::owner_all);
  for (const char* program : {"sh", "sed"}) {
    const std::string from = std::filesystem::exists(std::string("/bin/") + program) ? "/bin/" : "/usr/bin/";
    std::filesystem::create_symlink(from + program, shop.path(std::string("bin/") + program));
  }
  const Answer answer = shop.run("env PATH=\"$PWD/bin\" sh", "'" + kTools + "setup.sh'");
  CHECK(answer.status == 1);
  CHECK(answer.out == "");
  CHECK_MESSAGE(answer.err.rfind("tools/setup.sh: packages are missing, and installing them takes root", 0) == 0, answer.err);
  CHECK(std::count(answer.err.begin(), answer.err.end(), '\n') == 1);
}

TEST_CASE("what tests left out is told by the test's name, once") {
  Workshop shop;
  shop.write("log",
             "1/3 Testing: format\n1/3 Test: format\nall is well\n2/3 Testing: plan\n2/3 Test: plan\n"
             "plan_test.cpp:126: MESSAGE: skipped: there is no shared data\nplan_test.cpp:130: MESSAGE: skipped: there is no shared data\n"
             "3/3 Testing: tool\nfields of a newer schema are skipped\n");
  CHECK(shop.run("sh", "'" + kTools + "skipped.sh' log").out == "skipped: plan: there is no shared data\n");
  const Answer missing = shop.run("sh", "'" + kTools + "skipped.sh' nowhere.log");
  CHECK(missing.status == 1);
  CHECK(missing.out == "");
  CHECK(missing.err == "tools/skipped.sh: nowhere.log: there is no such log, or it cannot be read\n");
  shop.write("log", "1/1 Testing: format\n");
  CHECK(shop.run("sh", "'" + kTools + "skipped.sh' log").out == "skipped: nothing\n");
}
