#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::convert {

/// Throws Error for anything but base64 with or without padding.
std::vector<uint8_t> decode_base64(const std::string& text);

}  // namespace linnet::convert
