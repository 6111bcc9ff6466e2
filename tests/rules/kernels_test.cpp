// Every kernel is tested and measured. Tests and benchmarks reach kernels through the tables of the kernel interface, for every level at
// once; so what is looked for is each member of those tables, and for each file of kernels a test of its kind.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "rules/sources.h"

using namespace linnet::rules;

namespace {

std::vector<std::string> table_members() {
  static const std::regex kMember("\\(\\*([a-z0-9_]+)\\)\\(");
  std::vector<std::string> names;
  for (const Source& source : sources_in("lib/kernels"))
    if (source.path.find("_kernels.h") != std::string::npos) {
      const std::string text = code(source);
      for (std::sregex_iterator found(text.begin(), text.end(), kMember), end; found != end; ++found) names.push_back((*found)[1]);
    }
  return names;
}

std::string all_code(const std::string& folder) {
  std::string all;
  for (const Source& source : sources_in(folder)) all += code(source);
  return all;
}

// Used as a member: kernels.scores(...), &LinearKernels::int8
bool uses(const std::string& text, const std::string& member) { return std::regex_search(text, std::regex("(\\.|::)" + member + "\\b")); }

}  // namespace

TEST_CASE("each member of the kernel tables is tested and measured") {
  const std::vector<std::string> members = table_members();
  const std::string tests = all_code("tests/kernels"), benchmarks = all_code("bench");
  CHECK(members.size() >= 30);
  for (const std::string& member : members) {
    CHECK_MESSAGE(uses(tests, member), "no test in tests/kernels uses the kernel '" << member << "'");
    CHECK_MESSAGE(uses(benchmarks, member), "no program in bench measures the kernel '" << member << "'");
  }
  CHECK(!uses(tests, "kernel_that_nobody_wrote"));
}

TEST_CASE("each file of kernels has a test of its kind") {
  std::set<std::string> tested;  // linear, vector, attention, quantize, ...
  for (const Source& source : sources_in("tests/kernels")) {
    const std::string stem = std::filesystem::path(source.path).stem().string();
    tested.insert(stem.substr(0, stem.find('_')));
  }
  size_t files = 0;
  for (const char* folder : {"lib/kernels/portable", "kernels_x86", "kernels_arm"})
    for (const Source& source : sources_in(folder)) {
      const std::filesystem::path path = source.path;
      if (path.extension() != ".cpp") continue;
      ++files;
      const std::string stem = path.stem().string();
      CHECK_MESSAGE(tested.count(stem.substr(0, stem.find('_'))), source.path << " has no test in tests/kernels");
    }
  CHECK(files > 20);
}
