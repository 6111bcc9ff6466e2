// The readers behind open_checkpoint.
#pragma once

#include "convert/checkpoint.h"

namespace linnet::convert {

std::unique_ptr<Checkpoint> open_folder(const std::string& path);
std::unique_ptr<Checkpoint> open_gguf(const std::string& path);

}  // namespace linnet::convert
