// The structural part of the file: the graph's tables in the schema's words.
#pragma once

#include <string>
#include <vector>

#include "convert/graph.h"

namespace linnet::convert {

/// Where a packed tensor lies.
struct StoredTensor {
  Encoding encoding;
  uint32_t group;
  uint64_t offset, bytes, checksum;
};

/// Everything of the model table besides the graph.
struct ModelExtras {
  std::string family;
  flatbuffers::Offset<schema::Tokenizer> tokenizer;                 // null offset: none
  flatbuffers::Offset<schema::Tokenizer> target_tokenizer;          // null offset: the same
  flatbuffers::Offset<schema::Generation> generation;               // null offset: none
  std::vector<std::pair<std::string, std::string>> chat_templates;  // name, text
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::pair<std::string, std::string>> special_tokens;  // "bos_token" and its text, ...
};

/// `stored` has one entry for each weight. Built in the graph's own builder.
flatbuffers::Offset<schema::Model> write_model(Graph& graph, const std::vector<StoredTensor>& stored, const ModelExtras& extras);

}  // namespace linnet::convert
