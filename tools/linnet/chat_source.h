// A chat template opened from wherever it stands, with the tokenizer beside it.
#pragma once

#include <optional>
#include <string>

#include "linnet/chat.h"

namespace linnet::tool {

struct ChatSource {
  ChatTemplate chat;
  std::optional<Tokenizer> tokenizer;
};

/// `source`: a .linnet file, a folder with tokenizer files, a .gguf file, a .jinja file, or a .json file with "template" and the texts of
/// "bos_token", "eos_token" and others. `name`: "" is the usual template. A tokenizer that is there and cannot be read is no error where
/// it is not `needs_tokenizer`. Throws Error.
ChatSource open_chat(const std::string& source, const std::string& name, bool needs_tokenizer);

}  // namespace linnet::tool
