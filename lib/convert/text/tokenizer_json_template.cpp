// Post-processors of tokenizer.json.
#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

using Items = std::vector<schema::TemplateItem>;

schema::TemplateItem sequence(int8_t number, uint8_t type) { return {-1, number, type}; }
schema::TemplateItem special(int32_t id, uint8_t type) { return {id, -1, type}; }

uint8_t type_id(const TokenizerJson& node) {
  const uint64_t type = node.at("type_id").get<uint64_t>();
  if (type > 255) throw Error(fmt::format("the post-processor gives type id {}, expected at most 255", type));
  return static_cast<uint8_t>(type);
}

Items read_items(const TokenizerJson& list, const TokenizerJson& special_tokens) {
  Items items;
  for (const TokenizerJson& item : list) {
    if (auto text = item.find("Sequence"); text != item.end()) {
      const std::string name = text->at("id").get<std::string>();
      items.push_back(sequence(name == "B" ? 1 : 0, type_id(*text)));
      continue;
    }
    const TokenizerJson& token = item.at("SpecialToken");
    const std::string name = token.at("id").get<std::string>();
    auto found = special_tokens.find(name);
    if (found == special_tokens.end())
      throw Error(fmt::format("the post-processor names the token \"{}\", which it does not define", name));
    for (const TokenizerJson& id : found->at("ids")) items.push_back(special(id.get<int32_t>(), type_id(token)));
  }
  return items;
}

void read_template(const TokenizerJson& node, TokenizerDraft* draft) {
  const TokenizerJson special_tokens = node.value("special_tokens", TokenizerJson::object());
  draft->single = read_items(node.at("single"), special_tokens);
  draft->pair = read_items(node.at("pair"), special_tokens);
}

int32_t token_id(const TokenizerJson& node, const char* key) { return node.at(key).at(1).get<int32_t>(); }

// What is to be done besides templates is nothing for ids: ByteLevel only trims offsets.
void read_processor(const TokenizerJson& node, TokenizerDraft* draft) {
  const std::string type = node.at("type").get<std::string>();
  if (type == "Sequence") {
    size_t templates = 0;
    for (const TokenizerJson& child : node.at("processors")) {
      if (child.at("type") != "ByteLevel" && ++templates > 1)
        throw Error("the tokenizer has more than one post-processor with tokens of its own");
      read_processor(child, draft);
    }
  } else if (type == "TemplateProcessing") {
    read_template(node, draft);
  } else if (type == "BertProcessing") {
    const int32_t cls = token_id(node, "cls"), sep = token_id(node, "sep");
    draft->single = {special(cls, 0), sequence(0, 0), special(sep, 0)};
    draft->pair = {special(cls, 0), sequence(0, 0), special(sep, 0), sequence(1, 1), special(sep, 1)};
  } else if (type == "RobertaProcessing") {
    const int32_t cls = token_id(node, "cls"), sep = token_id(node, "sep");
    draft->single = {special(cls, 0), sequence(0, 0), special(sep, 0)};
    draft->pair = {special(cls, 0), sequence(0, 0), special(sep, 0), special(sep, 0), sequence(1, 0), special(sep, 0)};
  } else if (type != "ByteLevel") {
    throw Error(fmt::format("the post-processor {} is not known to this library", type));
  }
}

}  // namespace

void read_post_processor_json(const TokenizerJson& node, TokenizerDraft* draft) {
  draft->single = {sequence(0, 0)};
  draft->pair = {sequence(0, 0), sequence(1, 1)};
  if (!node.is_null()) read_processor(node, draft);
}

}  // namespace linnet::convert
