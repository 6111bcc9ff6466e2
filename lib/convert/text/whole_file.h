#pragma once

#include <string>

namespace linnet::convert {

/// The file's bytes. Throws Error naming a file that cannot be read.
std::string read_whole_file(const std::string& path);

}  // namespace linnet::convert
