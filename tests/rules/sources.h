// The project's own source files, for tests that read them.
#pragma once

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace linnet::rules {

struct Source {
  std::string path;  // from the project's root: "lib/ops/linear.cpp"
  std::string text;
};

/// All .h and .cpp files in a folder of the project and below it.
inline std::vector<Source> sources_in(const std::string& folder) {
  const std::filesystem::path root = LINNET_SOURCE_DIR;
  std::vector<Source> all;
  if (!std::filesystem::exists(root / folder)) return all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    all.push_back({std::filesystem::relative(entry.path(), root).string(), text.str()});
  }
  return all;
}

/// What stands between the quotes or brackets of its #include lines.
inline std::vector<std::string> includes(const Source& source) {
  static const std::regex kInclude("^[ \t]*#[ \t]*include[ \t]*[\"<]([^\">]+)[\">]");
  std::vector<std::string> all;
  std::istringstream lines(source.text);
  std::smatch found;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_search(line, found, kInclude)) all.push_back(found[1]);
  return all;
}

/// The text without its // comments (the house writes no other kind).
inline std::string code(const Source& source) {
  std::string all;
  std::istringstream lines(source.text);
  for (std::string line; std::getline(lines, line);) all += line.substr(0, line.find("//")) + "\n";
  return all;
}

}  // namespace linnet::rules
