#include "convert/text/sentence_settings.h"

#include "convert/config.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

void apply_sentence_settings(const Json& settings, TokenizerDraft* draft) {
  const Config config(settings, "sentence_bert_config.json");
  draft->max_length = config.count("max_seq_length", draft->max_length);
  // The reference lowers a text before its tokenizer sees it: of "[SEP]" in a text nothing is left to find, and "<X>" is "<x>".
  if (config.flag("do_lower_case", false)) draft->normalizer.insert(draft->normalizer.begin(), make_stage("lowercase_input", "", "", 0, 1));
}

}  // namespace linnet::convert
