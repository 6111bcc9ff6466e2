// Pre-tokenizers of tokenizer.json.
#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/patterns.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

using text::Behavior;
using Stages = std::vector<StageDraft>;

Behavior behavior_of(const TokenizerJson& node, const char* fallback) {
  const std::string name = text_or(node, "behavior", fallback);
  if (name == "Isolated") return Behavior::isolated;
  if (name == "Removed") return Behavior::removed;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  throw Error(fmt::format("the behavior {} of a pre-tokenizer is not known to this library", name));
}

void add_byte_level(const TokenizerJson& node, Stages* stages) {
  if (flag(node, "add_prefix_space", true)) stages->push_back(make_stage("prepend", " "));
  if (flag(node, "use_regex", true)) stages->push_back(split_at_scanner("gpt2", Behavior::isolated));
  stages->push_back(make_stage("byte_level"));
}

void add_split(const TokenizerJson& node, Stages* stages) {
  StageDraft stage = make_stage("split");
  stage.number = static_cast<int32_t>(behavior_of(node, "Isolated"));
  stage.flags = flag(node, "invert", false) ? text::kInvert : 0;
  const TokenizerJson& pattern = node.at("pattern");
  if (pattern.contains("Regex")) {
    set_expression(pattern.at("Regex").get<std::string>(), &stage);
  } else {
    stage.text = pattern.at("String").get<std::string>();
    if (stage.text.empty()) return;  // matches nothing
  }
  stages->push_back(stage);
}

std::string prepend_of(const TokenizerJson& node) {
  if (node.contains("prepend_scheme")) return text_or(node, "prepend_scheme", "always");
  return flag(node, "add_prefix_space", true) ? "always" : "never";
}

}  // namespace

void add_metaspace(const std::string& replacement, const std::string& prepend, bool split, Stages* stages) {
  stages->push_back(make_stage("replace", " ", replacement));
  if (prepend != "always" && prepend != "first" && prepend != "never")
    throw Error(fmt::format("the prepend_scheme {} of Metaspace is not known to this library", prepend));
  if (prepend != "never") stages->push_back(make_stage("prepend", replacement, "", 0, prepend == "first" ? text::kFirst : 0));
  if (split) stages->push_back(split_at_literal(replacement, Behavior::merged_with_next));
}

void read_pre_tokenizer_json(const TokenizerJson& node, Stages* stages) {
  if (node.is_null()) return;
  const std::string type = node.at("type").get<std::string>();
  if (type == "Sequence") {
    for (const TokenizerJson& child : node.at("pretokenizers")) read_pre_tokenizer_json(child, stages);
  } else if (type == "BertPreTokenizer") {
    stages->push_back(split_at_scanner("white_space", Behavior::removed));
    stages->push_back(split_at_scanner("punctuation", Behavior::isolated));
  } else if (type == "Whitespace") {
    stages->push_back(split_at_scanner("words", Behavior::removed, true));
  } else if (type == "WhitespaceSplit") {
    stages->push_back(split_at_scanner("white_space", Behavior::removed));
  } else if (type == "ByteLevel") {
    add_byte_level(node, stages);
  } else if (type == "Split") {
    add_split(node, stages);
  } else if (type == "Metaspace") {
    add_metaspace(text_or(node, "replacement", "▁"), prepend_of(node), flag(node, "split", true), stages);
  } else if (type == "Digits") {
    stages->push_back(split_at_scanner("number", flag(node, "individual_digits", false) ? Behavior::isolated : Behavior::contiguous));
  } else if (type == "Punctuation") {
    stages->push_back(split_at_scanner("punctuation", behavior_of(node, "Isolated")));
  } else if (type == "CharDelimiterSplit") {
    stages->push_back(split_at_literal(node.at("delimiter").get<std::string>(), Behavior::removed));
  } else {
    throw Error(fmt::format("the pre-tokenizer {} is not known to this library", type));
  }
}

}  // namespace linnet::convert
