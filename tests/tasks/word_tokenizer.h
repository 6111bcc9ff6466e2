// A tokenizer.json whose ids can be told by eye: the words w0, w1, ... are ids 0, 1, ...; the last three are [UNK], [CLS] and [SEP].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convert/checkpoint.h"

namespace linnet::tests {

inline convert::Json word_tokenizer(int32_t vocabulary) {
  using convert::Json;
  const int32_t unknown = vocabulary - 3, begin = vocabulary - 2, end = vocabulary - 1;
  Json words = Json::object();
  for (int32_t i = 0; i < unknown; ++i) words["w" + std::to_string(i)] = i;
  words["[UNK]"] = unknown, words["[CLS]"] = begin, words["[SEP]"] = end;
  Json added = Json::array();
  for (const auto& [name, id] : {std::pair<std::string, int32_t>{"[UNK]", unknown}, {"[CLS]", begin}, {"[SEP]", end}})
    added.push_back({{"id", id}, {"content", name}, {"special", true}});
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"post_processor", {{"type", "BertProcessing"}, {"sep", {"[SEP]", end}}, {"cls", {"[CLS]", begin}}}},
          {"decoder", nullptr},
          {"model", {{"type", "WordLevel"}, {"vocab", words}, {"unk_token", "[UNK]"}}}};
}

/// "w5 w2 w9" for 5, 2, 9.
inline std::string words(const std::vector<int32_t>& ids) {
  std::string text;
  for (int32_t id : ids) text += (text.empty() ? "w" : " w") + std::to_string(id);
  return text;
}

}  // namespace linnet::tests
