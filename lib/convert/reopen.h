// The last look at a finished file, with the eyes of those who will use it.
#pragma once

#include <functional>
#include <string>

namespace linnet::convert {

/// Opens the file at `path` as an app would and compares its checksums; `tick` (may be empty) is called before each tensor, and what it
/// throws comes out. Throws Error, naming the file `output`, where the runtime refuses it. Returns why the file was not checked: "", or a
/// sentence where it stands on a file system that cannot map files.
std::string check_opens(const std::string& path, const std::string& output, const std::function<void()>& tick);

}  // namespace linnet::convert
