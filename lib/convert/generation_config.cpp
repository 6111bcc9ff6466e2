#include "convert/generation_config.h"

#include <algorithm>

namespace linnet::convert {

namespace {

/// One id, or the ids of a list; `key` of the first object that has it.
std::vector<int32_t> ids(const Config& generation, const Config& config, const std::string& key) {
  const Config& owner = generation.has(key) ? generation : config;
  std::vector<int32_t> all;
  if (!owner.has(key)) return all;
  const Json& value = owner.json().at(key);
  for (const Json& item : value.is_array() ? value : Json::array({value})) {
    if (!item.is_number_integer() || item.get<int64_t>() > INT32_MAX) owner.refuse(key, "a token id or a list of them");
    if (item.get<int64_t>() >= 0) all.push_back(item.get<int32_t>());   // some files say -1 for none
  }
  return all;
}

int32_t id(const Config& generation, const Config& config, const std::string& key) {
  std::vector<int32_t> all = ids(generation, config, key);
  return all.empty() ? -1 : all[0];
}

// bad_words_ids that are one token each, and suppress_tokens. Words of several tokens depend on what was written before: refused.
std::vector<int32_t> banned(const Config& generation, const Config& config) {
  std::vector<int32_t> all = ids(generation, config, "suppress_tokens");
  const Config& owner = generation.has("bad_words_ids") ? generation : config;
  if (!owner.has("bad_words_ids")) return all;
  for (const Json& word : owner.json().at("bad_words_ids")) {
    if (!word.is_array() || word.size() != 1 || !word[0].is_number_integer()) owner.refuse("bad_words_ids", "a list of single tokens");
    all.push_back(word[0].get<int32_t>());
  }
  return all;
}

uint8_t early_stopping(const Config& generation) {
  if (!generation.has("early_stopping")) return 0;
  const Json& value = generation.json().at("early_stopping");
  if (value == "never") return 2;
  return generation.flag("early_stopping", false) ? 1 : 0;
}

}  // namespace

flatbuffers::Offset<schema::Generation> write_generation(flatbuffers::FlatBufferBuilder& builder, const Config& generation,
                                                         const Config& config) {
  auto eos = builder.CreateVector(ids(generation, config, "eos_token_id"));
  auto forbidden = builder.CreateVector(banned(generation, config));
  const bool sample = generation.flag("do_sample", false);
  schema::GenerationBuilder table(builder);
  table.add_bos_id(id(generation, config, "bos_token_id"));
  table.add_eos_ids(eos);
  table.add_pad_id(id(generation, config, "pad_token_id"));
  table.add_decoder_start_id(id(generation, config, "decoder_start_token_id"));
  table.add_forced_bos_id(id(generation, config, "forced_bos_token_id"));
  table.add_forced_eos_id(id(generation, config, "forced_eos_token_id"));
  table.add_banned_ids(forbidden);
  table.add_max_length(generation.count("max_length", 0));
  table.add_temperature(static_cast<float>(generation.number("temperature", 1)));
  table.add_top_p(static_cast<float>(generation.number("top_p", 1)));
  // The reference's own default of top_k is 50 where it samples.
  table.add_top_k(static_cast<uint32_t>(std::max(0, generation.whole("top_k", sample ? 50 : 0))));
  table.add_repetition_penalty(static_cast<float>(generation.number("repetition_penalty", 1)));
  table.add_sample(sample);
  table.add_beams(generation.count("num_beams", 1));
  table.add_length_penalty(static_cast<float>(generation.number("length_penalty", 1)));
  table.add_early_stopping(early_stopping(generation));
  table.add_no_repeat_ngram(static_cast<uint32_t>(std::max(0, generation.whole("no_repeat_ngram_size", 0))));
  return table.Finish();
}

}  // namespace linnet::convert
