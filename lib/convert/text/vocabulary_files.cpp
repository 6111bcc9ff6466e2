#include "convert/text/vocabulary_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "convert/readers/file.h"
#include "convert/text/patterns.h"
#include "convert/text/tokenizer_config.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

template <size_t count>
void check_class(const std::string& file, const std::string& name, const char* const (&known)[count]) {
  if (std::find(std::begin(known), std::end(known), name) == std::end(known))
    throw Error(fmt::format("{} of a {}: this library reads that class from tokenizer.json only", file, name));
}

void add_roberta_template(int32_t begin, int32_t end, TokenizerDraft* draft) {
  draft->single = {{begin, -1, 0}, {-1, 0, 0}, {end, -1, 0}};
  draft->pair = {{begin, -1, 0}, {-1, 0, 0}, {end, -1, 0}, {end, -1, 0}, {-1, 1, 0}, {end, -1, 0}};
}

void read_merges(const std::string& text, TokenizerDraft* draft) {
  std::istringstream in(text);
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || (number == 1 && line.rfind("#version", 0) == 0)) continue;
    const size_t space = line.find(' ');
    if (space == line.npos) throw Error(fmt::format("merges.txt, line {}: \"{}\" is not two pieces", number, line));
    draft->merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
}

void read_vocabulary(const std::string& text, TokenizerDraft* draft) {
  check_nesting(text, "vocab.json");
  try {
    const TokenizerJson pieces = TokenizerJson::parse(text);
    for (const auto& [piece, id] : pieces.items()) set_piece(draft, id.get<uint64_t>(), piece);
  } catch (const TokenizerJson::exception& error) {
    throw Error(fmt::format("vocab.json: {}", error.what()));
  }
  draft->types.assign(draft->pieces.size(), TokenizerDraft::normal);
}

}  // namespace

TokenizerDraft parse_vocab_txt(const std::string& vocabulary, const Json& config) {
  constexpr const char* kClasses[] = {"",
                                      "BertTokenizer",
                                      "DistilBertTokenizer",
                                      "ElectraTokenizer",
                                      "MobileBertTokenizer",
                                      "ConvBertTokenizer",
                                      "SqueezeBertTokenizer",
                                      "RetriBertTokenizer",
                                      "DPRQuestionEncoderTokenizer",
                                      "DPRContextEncoderTokenizer"};
  check_class("vocab.txt", tokenizer_class(config), kClasses);
  TokenizerDraft draft;
  draft.kind = schema::TokenizerKind::word_piece;
  draft.continuing_prefix = "##";
  std::istringstream in(vocabulary);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    set_piece(&draft, draft.pieces.size(), line);
  }
  draft.types.assign(draft.pieces.size(), TokenizerDraft::normal);
  add_listed_tokens(config, &draft);
  draft.unknown_id = add_special_token(special_text(config, "unk_token", "[UNK]"), false, &draft);
  const int32_t sep = add_special_token(special_text(config, "sep_token", "[SEP]"), false, &draft),
                cls = add_special_token(special_text(config, "cls_token", "[CLS]"), false, &draft);
  add_special_token(special_text(config, "pad_token", "[PAD]"), false, &draft);
  add_special_token(special_text(config, "mask_token", "[MASK]"), false, &draft);
  const bool lowercase = setting(config, "do_lower_case", true);
  draft.normalizer.push_back(make_stage("bert_clean"));
  if (setting(config, "tokenize_chinese_chars", true)) draft.normalizer.push_back(make_stage("bert_ideographs"));
  if (setting(config, "strip_accents", lowercase)) {
    draft.normalizer.push_back(make_stage("nfd"));
    draft.normalizer.push_back(make_stage("strip_accents", "", "", 0, 1));
  }
  if (lowercase) draft.normalizer.push_back(make_stage("lowercase"));
  draft.pre_tokenizer = {split_at_scanner("white_space", text::Behavior::removed),
                         split_at_scanner("punctuation", text::Behavior::isolated)};
  draft.decoder = {make_stage("word_piece", "##", "", 0, 1)};
  draft.single = {{cls, -1, 0}, {-1, 0, 0}, {sep, -1, 0}};
  draft.pair = {{cls, -1, 0}, {-1, 0, 0}, {sep, -1, 0}, {-1, 1, 1}, {sep, -1, 1}};
  return draft;
}

TokenizerDraft parse_vocab_json(const std::string& vocabulary, const std::string& merges, const Json& config) {
  constexpr const char* kClasses[] = {
      "", "GPT2Tokenizer", "RobertaTokenizer", "LongformerTokenizer", "BartTokenizer", "LEDTokenizer", "Qwen2Tokenizer"};
  const std::string name = tokenizer_class(config);
  check_class("vocab.json", name, kClasses);
  TokenizerDraft draft;
  draft.kind = schema::TokenizerKind::byte_level_bpe;
  read_vocabulary(vocabulary, &draft);
  read_merges(merges, &draft);
  add_listed_tokens(config, &draft);
  const bool is_qwen = name == "Qwen2Tokenizer", is_roberta = !is_qwen && !name.empty() && name != "GPT2Tokenizer";
  const std::string usual = is_roberta ? "" : "<|endoftext|>";
  draft.unknown_id = add_special_token(special_text(config, "unk_token", is_roberta ? "<unk>" : usual), false, &draft);
  const int32_t begin = add_special_token(special_text(config, "bos_token",
                                                       is_roberta ? "<s>"
                                                       : is_qwen  ? ""
                                                                  : usual),
                                          false, &draft),
                end = add_special_token(special_text(config, "eos_token", is_roberta ? "</s>" : usual), false, &draft);
  add_special_token(special_text(config, "pad_token", is_roberta ? "<pad>" : is_qwen ? usual : ""), false, &draft);
  if (is_roberta) {
    const int32_t cls = add_special_token(special_text(config, "cls_token", "<s>"), false, &draft),
                  sep = add_special_token(special_text(config, "sep_token", "</s>"), false, &draft);
    add_special_token(special_text(config, "mask_token", "<mask>"), true, &draft);
    add_roberta_template(cls >= 0 ? cls : begin, sep >= 0 ? sep : end, &draft);
  } else {
    draft.single = {{-1, 0, 0}};
    draft.pair = {{-1, 0, 0}, {-1, 1, 1}};
  }
  if (is_qwen) draft.normalizer.push_back(make_stage("nfc"));
  if (setting(config, "add_prefix_space", false)) draft.pre_tokenizer.push_back(make_stage("prepend", " "));
  draft.pre_tokenizer.push_back(split_at_scanner(is_qwen ? "qwen2" : "gpt2", text::Behavior::isolated));
  draft.pre_tokenizer.push_back(make_stage("byte_level"));
  draft.decoder.push_back(make_stage("byte_level"));
  return draft;
}

}  // namespace linnet::convert
