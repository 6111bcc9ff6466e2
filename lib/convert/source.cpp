#include "convert/source.h"

#include <fmt/format.h>

#include <algorithm>

namespace linnet::convert {

std::string Source::text() const {
  if (rows.is_whole()) return tensor;
  if (rows.count == 1) return fmt::format("{}[{}:{}]", tensor, rows.first, rows.first + rows.rows);
  return fmt::format("{}[{}:{} of {}]", tensor, rows.first, rows.first + rows.rows, rows.step);
}

std::string joined_name(const std::vector<Source>& sources) {
  std::vector<std::string> names;
  for (const Source& source : sources) names.push_back(source.text());
  if (names.size() == 1) return names[0];
  size_t front = 0, back = 0, shortest = names[0].size();
  for (const std::string& name : names) shortest = std::min(shortest, name.size());
  auto same = [&](auto&& at) {
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return at(name) == at(names[0]); });
  };
  while (front < shortest && same([&](const std::string& name) { return name[front]; })) ++front;
  while (front > 0 && names[0][front - 1] != '.') --front;
  while (back < shortest - front && same([&](const std::string& name) { return name[name.size() - 1 - back]; })) ++back;
  while (back > 0 && names[0][names[0].size() - back] != '.') --back;
  std::string joined = names[0].substr(0, front) + "{";
  for (const std::string& name : names) joined += (joined.back() == '{' ? "" : ",") + name.substr(front, name.size() - front - back);
  return joined + "}" + names[0].substr(names[0].size() - back);
}

}  // namespace linnet::convert
