#include "convert/text/sentence_settings.h"

#include <filesystem>

#include "convert/config.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace fs = std::filesystem;

std::optional<std::string> find_sentence_settings(const std::string& folder) {
  // The newest comes first; before, each kind of encoder had a name of its own for the same content.
  for (const char* kind : {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    const fs::path path = fs::path(folder) / (std::string("sentence_") + kind + "_config.json");
    if (fs::exists(path)) return path.string();
  }
  return std::nullopt;
}

void apply_sentence_settings(const Json& settings, const std::string& file, TokenizerDraft* draft) {
  const Config config(settings, file);
  draft->max_length = config.count("max_seq_length", draft->max_length);
  // The reference lowers a text before its tokenizer sees it: of "[SEP]" in a text nothing is left to find, and "<X>" is "<x>".
  if (config.flag("do_lower_case", false)) draft->normalizer.insert(draft->normalizer.begin(), make_stage("lowercase_input", "", "", 0, 1));
}

}  // namespace linnet::convert
