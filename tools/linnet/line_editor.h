// Lines that a person types, with editing and history where the build has libedit and input is a terminal.
#pragma once

#include <optional>
#include <string>

namespace linnet::tool {

/// The next line without its end; nothing at the end of input. A Ctrl-C while typing gives up the line and gives "".
std::optional<std::string> read_line(const char* prompt);

}  // namespace linnet::tool
