#include "convert/text/gguf_tokenizer.h"

#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/patterns.h"
#include "convert/text/sentence_piece.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

using Kind = schema::TokenizerKind;
const std::string kKeys = "tokenizer.ggml.";
const std::string kSpace = "▁";

class Reader {
 public:
  explicit Reader(const GgufMetadata& metadata) : metadata_(metadata) {}

  TokenizerDraft read(const std::string& model) {
    read_pieces();
    if (model == "gpt2")
      read_gpt2();
    else if (model == "llama")
      read_llama();
    else if (model == "bert")
      read_bert();
    else if (model == "t5")
      read_t5();
    else
      throw Error(fmt::format("GGUF key 'tokenizer.ggml.model' is '{}', a tokenizer that this library does not know", model));
    add_special_pieces();
    return std::move(draft_);
  }

 private:
  bool wanted(const std::string& key, bool fallback) const { return metadata_.whole(kKeys + key, fallback ? 1 : 0) != 0; }

  int32_t id(const std::string& key, int64_t fallback) const {
    const int64_t id = metadata_.whole(kKeys + key, fallback);
    return id >= 0 && id < static_cast<int64_t>(draft_.pieces.size()) ? static_cast<int32_t>(id) : -1;
  }

  void read_pieces() {
    const std::vector<std::string>& tokens = metadata_.texts(kKeys + "tokens");
    if (tokens.empty()) throw Error("GGUF key 'tokenizer.ggml.tokens' is missing");
    for (const std::string& token : tokens) set_piece(&draft_, draft_.pieces.size(), token);
    draft_.types.assign(tokens.size(), TokenizerDraft::normal);
    const std::vector<int64_t> types = metadata_.wholes(kKeys + "token_type");
    if (!types.empty() && types.size() != tokens.size())
      throw Error(fmt::format("GGUF key 'tokenizer.ggml.token_type' has {} entries, expected {}", types.size(), tokens.size()));
    for (size_t i = 0; i < types.size(); ++i)
      if (types[i] >= 1 && types[i] <= 6) draft_.types[i] = static_cast<uint8_t>(types[i]);
  }

  void read_scores() {
    for (double score : metadata_.numbers(kKeys + "scores")) draft_.scores.push_back(static_cast<float>(score));
    if (draft_.scores.size() != draft_.pieces.size())
      throw Error(fmt::format("GGUF key 'tokenizer.ggml.scores' has {} entries, expected {}", draft_.scores.size(), draft_.pieces.size()));
  }

  void add_normal_forms(bool nfc, bool lowercase, bool strip_accents) {
    if (wanted("normalizer.nfc", nfc)) draft_.normalizer.push_back(make_stage("nfc"));
    if (wanted("normalizer.strip_accents", strip_accents)) {
      draft_.normalizer.push_back(make_stage("nfd"));
      draft_.normalizer.push_back(make_stage("strip_accents", "", "", 0, 1));
    }
    if (wanted("normalizer.lowercase", lowercase)) draft_.normalizer.push_back(make_stage("lowercase"));
  }

  void read_merges() {
    for (const std::string& merge : metadata_.texts(kKeys + "merges")) {
      const size_t space = merge.find(' ', 1);
      if (space == merge.npos) throw Error(fmt::format("GGUF key 'tokenizer.ggml.merges': \"{}\" is not two pieces", merge));
      draft_.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
  }

  void read_gpt2() {
    if (!metadata_.has(kKeys + "pre")) throw Error("GGUF key 'tokenizer.ggml.pre' is missing: how this tokenizer cuts text is not known");
    const std::string pre = metadata_.text(kKeys + "pre", "");
    const GgufPreTokenizer found = gguf_pre_tokenizer(pre);
    draft_.kind = Kind::byte_level_bpe;
    read_merges();
    add_normal_forms(pre == "qwen2", false, false);
    draft_.pre_tokenizer = found.stages;
    draft_.pre_tokenizer.push_back(make_stage("byte_level"));
    draft_.decoder.push_back(make_stage("byte_level"));
    draft_.ignore_merges = found.ignore_merges;
    const int32_t begin = wanted("add_bos_token", found.add_begin || found.add_separator) ? id("bos_token_id", 11) : -1;
    if (wanted("add_sep_token", found.add_separator)) {
      const int32_t end = id("seperator_token_id", metadata_.whole(kKeys + "eos_token_id", 11));
      draft_.single = {{begin, -1, 0}, {-1, 0, 0}, {end, -1, 0}};
      draft_.pair = {{begin, -1, 0}, {-1, 0, 0}, {end, -1, 0}, {end, -1, 0}, {-1, 1, 0}, {end, -1, 0}};
    } else {
      set_begin_end(begin, wanted("add_eos_token", false) ? id("eos_token_id", 11) : -1, 1, &draft_);
    }
  }

  void read_llama() {
    draft_.kind = Kind::sentence_piece_bpe;
    draft_.byte_fallback = true;
    draft_.unknown_id = id("unknown_token_id", 0);
    read_scores();
    const bool prefix = wanted("add_space_prefix", true);
    add_normal_forms(false, false, false);
    add_sentence_piece_stages({"", prefix, wanted("remove_extra_whitespaces", false)}, &draft_);
    draft_.decoder = {make_stage("replace", kSpace, " "), make_stage("byte_fallback"), make_stage("fuse")};
    if (prefix) draft_.decoder.push_back(make_stage("strip", " ", "", 1));
    set_begin_end(wanted("add_bos_token", true) ? id("bos_token_id", 1) : -1, wanted("add_eos_token", false) ? id("eos_token_id", 2) : -1,
                  1, &draft_);
  }

  void read_t5() {
    draft_.kind = Kind::unigram;
    draft_.unknown_id = id("unknown_token_id", 2);
    draft_.text_matches_control = false;
    read_scores();
    SentencePieceRules rules;
    for (int64_t byte : metadata_.wholes(kKeys + "precompiled_charsmap")) rules.character_map += static_cast<char>(byte);
    rules.add_dummy_prefix = wanted("add_space_prefix", true);
    rules.remove_extra_spaces = wanted("remove_extra_whitespaces", false);
    add_sentence_piece_stages(rules, &draft_);
    draft_.decoder = {make_stage("metaspace", kSpace, "", 0, rules.add_dummy_prefix ? 2 : 1), make_stage("byte_fallback", "", "", 0, 1)};
    set_begin_end(wanted("add_bos_token", false) ? id("bos_token_id", -1) : -1, wanted("add_eos_token", true) ? id("eos_token_id", 1) : -1,
                  0, &draft_);
  }

  // The pieces as BERT writes them: U+2581 in front of beginnings of words goes, "##" in front of the others comes back.
  void read_bert() {
    draft_.kind = Kind::word_piece;
    draft_.continuing_prefix = "##";
    draft_.unknown_id = id("unknown_token_id", 100);
    for (size_t i = 0; i < draft_.pieces.size(); ++i) {
      std::string& piece = draft_.pieces[i];
      if (piece.rfind(kSpace, 0) == 0)
        piece.erase(0, kSpace.size());
      else if (draft_.types[i] == TokenizerDraft::normal && !(piece.size() > 1 && piece.front() == '[' && piece.back() == ']'))
        piece.insert(0, "##");
    }
    draft_.normalizer = {make_stage("bert_clean"), make_stage("bert_ideographs")};
    const bool lowercase = wanted("normalizer.lowercase", true);
    add_normal_forms(false, lowercase, lowercase);
    draft_.pre_tokenizer = {split_at_scanner("white_space", text::Behavior::removed),
                            split_at_scanner("punctuation", text::Behavior::isolated)};
    draft_.decoder.push_back(make_stage("word_piece", "##", "", 0, 1));
    const int32_t begin =
                      wanted("add_bos_token", true) ? id(metadata_.has(kKeys + "cls_token_id") ? "cls_token_id" : "bos_token_id", 101) : -1,
                  end = wanted("add_sep_token", true) ? id("seperator_token_id", 102) : -1;
    draft_.single = {{begin, -1, 0}, {-1, 0, 0}, {end, -1, 0}};
    draft_.pair = {{begin, -1, 0}, {-1, 0, 0}, {end, -1, 0}, {-1, 1, 1}, {end, -1, 1}};
  }

  // Control and user-defined pieces are found in the raw text.
  void add_special_pieces() {
    for (size_t i = 0; i < draft_.pieces.size(); ++i) {
      const uint8_t type = draft_.types[i];
      const bool is_unknown = type == TokenizerDraft::unknown && !draft_.pieces[i].empty();
      if (draft_.pieces[i].empty() || (type != TokenizerDraft::control && type != TokenizerDraft::user_defined && !is_unknown)) continue;
      AddedDraft token;
      token.id = static_cast<uint32_t>(i);
      token.content = draft_.pieces[i];
      token.special = type != TokenizerDraft::user_defined;
      draft_.added.push_back(token);
    }
  }

  const GgufMetadata& metadata_;
  TokenizerDraft draft_;
};

}  // namespace

std::optional<TokenizerDraft> read_gguf_tokenizer(const GgufMetadata& metadata) {
  if (metadata.has("tokenizer.huggingface.json"))
    return parse_tokenizer_json(metadata.text("tokenizer.huggingface.json", ""), "tokenizer.huggingface.json");
  const std::string model = metadata.text(kKeys + "model", "none");
  if (model == "none" || model == "no_vocab") return std::nullopt;
  return Reader(metadata).read(model);
}

}  // namespace linnet::convert
