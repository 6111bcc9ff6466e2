// The templates that turn a conversation into text, as the checkpoint has them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "convert/checkpoint.h"

namespace linnet::convert {

/// Name ("" for the usual one) and text of each: chat_template.jinja, "chat_template" of tokenizer_config.json, or the keys of
/// a GGUF file. None where there are none. Throws Error for files that are malformed.
std::vector<std::pair<std::string, std::string>> read_chat_templates(const Checkpoint& checkpoint);

}  // namespace linnet::convert
