#include "convert/text/tokenizer_reader.h"

#include <filesystem>

#include "convert/checkpoint.h"

namespace linnet::convert {

std::optional<TokenizerDraft> read_tokenizer(const std::string& path) {
  if (std::filesystem::exists(std::filesystem::path(path) / "tokenizer.json")) throw Error(path + ": its tokenizer is of a kind that is not known");
  return std::nullopt;
}

}  // namespace linnet::convert
