#include "convert/text/tokenizer_reader.h"

#include <algorithm>
#include <filesystem>

#include "convert/readers/file.h"
#include "convert/readers/gguf_metadata.h"
#include "convert/readers/opennmt.h"
#include "convert/text/gguf_tokenizer.h"
#include "convert/text/paired_pieces.h"
#include "convert/text/sentence_piece.h"
#include "convert/text/sentence_settings.h"
#include "convert/text/tokenizer_config.h"
#include "convert/text/tokenizer_json.h"
#include "convert/text/vocabulary_files.h"
#include "convert/text/word_list.h"
#include "convert/text/word_starts.h"

namespace linnet::convert {

namespace {

namespace fs = std::filesystem;

Json read_config(const fs::path& path) { return fs::exists(path) ? parse_json(read_text(path.string()), path.string()) : nullptr; }

// The reference's class of Llama puts its own tokens around a text where the file itself puts none.
void add_begin_of_class(const Json& config, TokenizerDraft* draft) {
  const auto is_token = [](const schema::TemplateItem& item) { return item.sequence() < 0; };
  if (tokenizer_class(config) != "LlamaTokenizer" || !config.contains("add_bos_token") || !config["add_bos_token"].is_boolean()) return;
  if (std::any_of(draft->single.begin(), draft->single.end(), is_token)) return;
  const int32_t begin = setting(config, "add_bos_token", false) ? id_of(*draft, special_text(config, "bos_token", "<s>")) : -1,
                end = setting(config, "add_eos_token", false) ? id_of(*draft, special_text(config, "eos_token", "</s>")) : -1;
  draft->single.clear();
  draft->pair.clear();
  set_begin_end(begin, end, 1, draft);
}

std::optional<TokenizerDraft> read_files(const fs::path& folder) {
  const auto has = [&](const char* name) { return fs::exists(folder / name); };
  const auto read = [&](const char* name) { return read_text((folder / name).string()); };
  const Json config = read_config(folder / "tokenizer_config.json");
  if (has("tokenizer.json")) {
    TokenizerDraft draft = parse_tokenizer_json(read("tokenizer.json"), (folder / "tokenizer.json").string());
    add_begin_of_class(config, &draft);
    return draft;
  }
  if (has("tokenizer.model")) return parse_sentence_piece(read("tokenizer.model"), config);
  if (has("spiece.model")) return parse_sentence_piece(read("spiece.model"), config);
  if (has("vocab.txt")) return parse_vocab_txt(read("vocab.txt"), config);
  if (has("source.spm") && has("vocab.json")) return parse_paired_pieces(read("source.spm"), read("vocab.json"));
  if (const std::vector<std::string> words = opennmt_words(folder.string(), "source"); !words.empty()) return parse_word_list(words);
  if (has("vocab.json") && has("merges.txt")) return parse_vocab_json(read("vocab.json"), read("merges.txt"), config);
  return std::nullopt;
}

std::optional<TokenizerDraft> read_folder(const fs::path& folder) {
  std::optional<TokenizerDraft> draft = read_files(folder);
  if (!draft) return draft;
  cut_at_word_starts(&*draft);
  // The reference reads these settings for a sentence encoder, which is what has modules.json.
  if (!fs::exists(folder / "modules.json")) return draft;
  if (const std::optional<std::string> settings = find_sentence_settings(folder.string()))
    apply_sentence_settings(read_config(*settings), fs::path(*settings).filename().string(), &*draft);
  return draft;
}

std::optional<TokenizerDraft> read_gguf(const GgufMetadata& metadata) {
  std::optional<TokenizerDraft> draft = read_gguf_tokenizer(metadata);
  if (draft) cut_at_word_starts(&*draft);
  return draft;
}

// The same files as open_checkpoint takes.
std::optional<std::string> gguf_file(const fs::path& path) {
  if (fs::is_regular_file(path)) return path.string();
  const fs::path wrapped = path / "model.gguf";
  return !fs::exists(path / "config.json") && fs::is_regular_file(wrapped) ? std::optional(wrapped.string()) : std::nullopt;
}

}  // namespace

std::optional<TokenizerDraft> read_tokenizer(const std::string& path) {
  const std::optional<std::string> file = gguf_file(path);
  return file ? read_gguf(*read_gguf_metadata(*file)) : read_folder(path);
}

std::optional<TokenizerDraft> read_target_tokenizer(const Checkpoint& checkpoint) {
  if (checkpoint.gguf()) return std::nullopt;
  const fs::path folder = checkpoint.path();
  if (const fs::path model = folder / "target.spm", list = folder / "target_vocab.json"; fs::exists(model) && fs::exists(list))
    return parse_paired_pieces(read_text(model.string()), read_text(list.string()));
  if (!fs::exists(folder / "target_vocabulary.txt")) return std::nullopt;
  return parse_word_list(opennmt_words(checkpoint.path(), "target"));
}

std::optional<TokenizerDraft> read_tokenizer(const Checkpoint& checkpoint) {
  const GgufMetadata* metadata = checkpoint.gguf();
  return metadata ? read_gguf(*metadata) : read_folder(checkpoint.path());
}

}  // namespace linnet::convert
