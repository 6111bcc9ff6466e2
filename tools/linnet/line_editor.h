// Lines that a person types, with editing and history where the build has libedit and input is a terminal.
#pragma once

#include <csignal>
#include <optional>
#include <string>

namespace linnet::tool {

/// The next line without its end; nothing at the end of input. Typing at a terminal ends, and gives "", when the handler of SIGINT sets
/// `interrupted`.
std::optional<std::string> read_line(const char* prompt, volatile std::sig_atomic_t& interrupted);

}  // namespace linnet::tool
