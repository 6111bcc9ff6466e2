#include "convert/text/tokenizer_reader.h"

#include <filesystem>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_json.h"
#include "convert/text/whole_file.h"

namespace linnet::convert {

namespace {

namespace fs = std::filesystem;

}  // namespace

std::optional<TokenizerDraft> read_tokenizer(const std::string& path) {
  const fs::path folder(path);
  if (fs::exists(folder / "tokenizer.json"))
    return parse_tokenizer_json(read_whole_file((folder / "tokenizer.json").string()), (folder / "tokenizer.json").string());
  return std::nullopt;
}

std::optional<TokenizerDraft> read_tokenizer(const Checkpoint& checkpoint) {
  std::optional<TokenizerDraft> draft = read_tokenizer(checkpoint.path());
  if (!draft || checkpoint.is_gguf()) return draft;
  const Json sentence = checkpoint.file("sentence_bert_config.json");
  if (sentence.is_object() && sentence.contains("max_seq_length") && sentence["max_seq_length"].is_number_unsigned())
    draft->max_length = sentence["max_seq_length"].get<uint32_t>();
  return draft;
}

}  // namespace linnet::convert
