#include "variables.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace linnet::tool {

using Json = nlohmann::ordered_json;

std::string variables_json(const std::vector<std::string>& variables) {
  Json all = Json::object();
  for (const std::string& text : variables) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw CLI::ValidationError("--set", "write NAME=VALUE, such as enable_thinking=false");
    const std::string value = text.substr(equals + 1);
    all[text.substr(0, equals)] = Json::accept(value) ? Json::parse(value) : Json(value);
  }
  return all.empty() ? "" : all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace linnet::tool
