// Normalizers and decoders of tokenizer.json.
#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/base64.h"
#include "convert/text/patterns.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

std::string type_of(const TokenizerJson& node) { return node.at("type").get<std::string>(); }

StageDraft replace_stage(const TokenizerJson& node) {
  StageDraft stage = make_stage("replace");
  const TokenizerJson& pattern = node.at("pattern");
  if (pattern.contains("String"))
    stage.text = pattern.at("String").get<std::string>();
  else
    set_expression(pattern.at("Regex").get<std::string>(), &stage);
  stage.second = node.at("content").get<std::string>();
  return stage;
}

void add_bert(const TokenizerJson& node, std::vector<StageDraft>* stages) {
  const bool lowercase = flag(node, "lowercase", true);
  if (flag(node, "clean_text", true)) stages->push_back(make_stage("bert_clean"));
  if (flag(node, "handle_chinese_chars", true)) stages->push_back(make_stage("bert_ideographs"));
  if (flag(node, "strip_accents", lowercase)) {
    stages->push_back(make_stage("nfd"));
    stages->push_back(make_stage("strip_accents", "", "", 0, 1));
  }
  if (lowercase) stages->push_back(make_stage("lowercase"));
}

StageDraft precompiled_stage(const TokenizerJson& node) {
  StageDraft stage = make_stage("precompiled");
  stage.bytes = decode_base64(node.at("precompiled_charsmap").get<std::string>());
  return stage;
}

StageDraft strip_stage(const TokenizerJson& node) {
  const uint64_t start = node.at("start").get<uint64_t>(), stop = node.at("stop").get<uint64_t>();
  if (start > 0xFFFF || stop > 0x7FFF)
    throw Error(fmt::format("the decoder strips {} and {} characters, expected at most 32767", start, stop));
  return make_stage("strip", node.at("content").get<std::string>(), "", static_cast<int32_t>(stop << 16 | start));
}

bool keeps_first_space(const TokenizerJson& node) {
  return node.contains("prepend_scheme") ? text_or(node, "prepend_scheme", "always") == "never" : !flag(node, "add_prefix_space", true);
}

void add_decoder(const TokenizerJson& node, std::vector<StageDraft>* stages) {
  const std::string type = type_of(node);
  if (type == "Sequence") {
    for (const TokenizerJson& child : node.at("decoders")) add_decoder(child, stages);
  } else if (type == "ByteLevel") {
    stages->push_back(make_stage("byte_level"));
  } else if (type == "ByteFallback") {
    stages->push_back(make_stage("byte_fallback"));
  } else if (type == "Fuse") {
    stages->push_back(make_stage("fuse"));
  } else if (type == "WordPiece") {
    stages->push_back(make_stage("word_piece", text_or(node, "prefix", "##"), "", 0, flag(node, "cleanup", true) ? 1 : 0));
  } else if (type == "Metaspace") {
    stages->push_back(make_stage("metaspace", text_or(node, "replacement", "▁"), "", 0, keeps_first_space(node) ? 1 : 0));
  } else if (type == "BPEDecoder") {
    stages->push_back(make_stage("bpe", text_or(node, "suffix", "</w>")));
  } else if (type == "Strip") {
    stages->push_back(strip_stage(node));
  } else if (type == "Replace") {
    stages->push_back(replace_stage(node));
    if (stages->back().flags != 0) throw Error("the decoder replaces matches of an expression, which this library does not do");
  } else {
    throw Error(fmt::format("the decoder {} is not known to this library", type));
  }
}

}  // namespace

void read_normalizer_json(const TokenizerJson& node, std::vector<StageDraft>* stages) {
  if (node.is_null()) return;
  const std::string type = type_of(node);
  if (type == "Sequence") {
    for (const TokenizerJson& child : node.at("normalizers")) read_normalizer_json(child, stages);
  } else if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    stages->push_back(make_stage(type == "NFC" ? "nfc" : type == "NFD" ? "nfd" : type == "NFKC" ? "nfkc" : "nfkd"));
  } else if (type == "Lowercase") {
    stages->push_back(make_stage("lowercase"));
  } else if (type == "StripAccents") {
    stages->push_back(make_stage("strip_accents"));
  } else if (type == "Strip") {
    stages->push_back(
        make_stage("strip", "", "", 0, (flag(node, "strip_left", true) ? 1u : 0u) | (flag(node, "strip_right", true) ? 2u : 0u)));
  } else if (type == "Replace") {
    stages->push_back(replace_stage(node));
  } else if (type == "Prepend") {
    stages->push_back(make_stage("prepend", node.at("prepend").get<std::string>()));
  } else if (type == "Precompiled") {
    stages->push_back(precompiled_stage(node));
  } else if (type == "BertNormalizer") {
    add_bert(node, stages);
  } else {
    throw Error(fmt::format("the normalizer {} is not known to this library", type));
  }
}

void read_decoder_json(const TokenizerJson& node, std::vector<StageDraft>* stages) {
  if (node.is_null())
    stages->push_back(make_stage("join", " "));
  else
    add_decoder(node, stages);
}

}  // namespace linnet::convert
