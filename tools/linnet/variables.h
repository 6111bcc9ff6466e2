// Variables for chat templates, as the command line gives them.
#pragma once

#include <string>
#include <vector>

namespace linnet::tool {

/// NAME=VALUE, where the value is JSON or else a text, as an object of JSON; "" where there are none. A wrong form is an error of the
/// command line.
std::string variables_json(const std::vector<std::string>& variables);

}  // namespace linnet::tool
