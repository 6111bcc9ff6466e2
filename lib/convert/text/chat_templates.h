// The templates that turn a conversation into text, and the texts of the special tokens that they write, as a checkpoint has them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "convert/checkpoint.h"

namespace linnet::convert {

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

struct ChatFiles {
  NamedTexts templates;  // "" is the name of the usual one
  NamedTexts tokens;     // "bos_token", "eos_token", ...
};

/// chat_template.jinja, additional_chat_templates/, and "chat_template" and tokens of tokenizer_config.json (or special_tokens_map.json);
/// or the keys of a GGUF file. Empty where there are none. Throws Error for files that are malformed.
ChatFiles read_chat_files(const Checkpoint& checkpoint);
/// The same of a folder that may lack all else, or of a GGUF file.
ChatFiles read_chat_files(const std::string& path);

/// Throws Error that names the template and what of it the runtime would refuse.
void check_chat_templates(const NamedTexts& templates);

}  // namespace linnet::convert
