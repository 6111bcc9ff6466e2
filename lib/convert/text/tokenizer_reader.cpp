#include "convert/text/tokenizer_reader.h"

#include <filesystem>

#include "convert/readers/gguf_metadata.h"
#include "convert/text/gguf_tokenizer.h"
#include "convert/text/sentence_piece.h"
#include "convert/text/tokenizer_json.h"
#include "convert/text/vocabulary_files.h"
#include "convert/text/whole_file.h"
#include "convert/text/word_starts.h"

namespace linnet::convert {

namespace {

namespace fs = std::filesystem;

Json read_config(const fs::path& path) {
  if (!fs::exists(path)) return nullptr;
  try {
    return Json::parse(read_whole_file(path.string()));
  } catch (const Json::exception& error) {
    throw Error(path.string() + ": " + error.what());
  }
}

std::optional<TokenizerDraft> read_folder(const fs::path& folder) {
  const auto has = [&](const char* name) { return fs::exists(folder / name); };
  const auto read = [&](const char* name) { return read_whole_file((folder / name).string()); };
  if (has("tokenizer.json")) return parse_tokenizer_json(read("tokenizer.json"), (folder / "tokenizer.json").string());
  const Json config = read_config(folder / "tokenizer_config.json");
  if (has("tokenizer.model")) return parse_sentence_piece(read("tokenizer.model"), config);
  if (has("spiece.model")) return parse_sentence_piece(read("spiece.model"), config);
  if (has("vocab.txt")) return parse_vocab_txt(read("vocab.txt"), config);
  if (has("vocab.json") && has("merges.txt")) return parse_vocab_json(read("vocab.json"), read("merges.txt"), config);
  return std::nullopt;
}

bool is_gguf_file(const fs::path& path) { return path.extension() == ".gguf"; }

}  // namespace

std::optional<TokenizerDraft> read_tokenizer(const std::string& path) {
  std::optional<TokenizerDraft> draft = is_gguf_file(path) ? read_gguf_tokenizer(*read_gguf_metadata(path)) : read_folder(path);
  if (draft) cut_at_word_starts(&*draft);
  return draft;
}

std::optional<TokenizerDraft> read_tokenizer(const Checkpoint& checkpoint) {
  const GgufMetadata* metadata = checkpoint.gguf();
  std::optional<TokenizerDraft> draft = metadata ? read_gguf_tokenizer(*metadata) : read_folder(checkpoint.path());
  if (!draft) return draft;
  cut_at_word_starts(&*draft);
  const Json sentence = metadata ? Json() : checkpoint.file("sentence_bert_config.json");
  if (sentence.is_object() && sentence.contains("max_seq_length") && sentence["max_seq_length"].is_number_unsigned())
    draft->max_length = sentence["max_seq_length"].get<uint32_t>();
  return draft;
}

}  // namespace linnet::convert
