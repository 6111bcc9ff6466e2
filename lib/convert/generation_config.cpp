#include "convert/generation_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/limits.h"

namespace linnet::convert {

namespace {

// Some files say -1 for none.
bool is_id(const Json& item) {
  if (!item.is_number_integer()) return false;
  return item.is_number_unsigned() ? item.get<uint64_t>() < core::limits::kVocabulary : item.get<int64_t>() < core::limits::kVocabulary;
}

/// One id, or the ids of a list; `key` of the first object that has it.
std::vector<int32_t> ids(const Config& generation, const Config& config, const std::string& key) {
  const Config& owner = generation.has(key) ? generation : config;
  std::vector<int32_t> all;
  if (!owner.has(key)) return all;
  const Json& value = owner.json().at(key);
  for (const Json& item : value.is_array() ? value : Json::array({value})) {
    if (!is_id(item)) owner.refuse(key, "a token id or a list of them");
    if (item.get<int64_t>() >= 0) all.push_back(item.get<int32_t>());
  }
  return all;
}

int32_t id(const Config& generation, const Config& config, const std::string& key) {
  std::vector<int32_t> all = ids(generation, config, key);
  return all.empty() ? -1 : all[0];
}

// suppress_tokens, and bad_words_ids that are one token each. Words of several tokens depend on what was written before: refused.
std::vector<int32_t> banned(const Config& generation, const Config& config) {
  std::vector<int32_t> all = ids(generation, config, "suppress_tokens");
  const Config& owner = generation.has("bad_words_ids") ? generation : config;
  if (!owner.has("bad_words_ids")) return all;
  const std::vector<int32_t> ends = ids(generation, config, "eos_token_id");
  for (const Json& word : owner.json().at("bad_words_ids")) {
    if (!word.is_array() || word.size() != 1 || !is_id(word[0])) owner.refuse("bad_words_ids", "a list of single tokens");
    const int64_t id = word[0].get<int64_t>();
    // The reference never forbids a text to end by these.
    const bool is_end = std::find(ends.begin(), ends.end(), id) != ends.end();
    if (id >= 0 && !is_end) all.push_back(static_cast<int32_t>(id));
  }
  return all;
}

// Of any size, unlike Config::whole: some write a number that nothing reaches for "no bound".
double whole(const Config& generation, const std::string& key, double fallback) {
  const double value = generation.number(key, fallback);
  if (value != std::floor(value)) generation.refuse(key, "a whole number");
  return value;
}

// Others write 0 or less for that. New ids alone are counted by max_new_tokens, which goes first: behind the one that starts the decoder.
uint32_t length(const Config& generation, const std::string& side, bool from_source) {
  const bool only_new = from_source && generation.has(side + "_new_tokens");
  const double length = only_new ? whole(generation, side + "_new_tokens", 0) + 1 : whole(generation, side + "_length", 0);
  return length >= 1 && length <= core::limits::kContext ? static_cast<uint32_t>(length) : 0;
}

// A value that makes no sense is harmless where nothing is drawn.
double drawn(const Config& generation, const std::string& key, bool sample, double least) {
  const double value = generation.number(key, 1);
  if (value >= least) return value;
  if (sample) generation.refuse(key, fmt::format("a number of at least {}", least));
  return 1;
}

float top_p(const Config& generation, bool sample) {
  // At 1 and above all are kept; at 0 the reference keeps the most probable one.
  const double value = std::min(drawn(generation, "top_p", sample, 0), 1.0);
  return std::max(static_cast<float>(value), std::numeric_limits<float>::min());
}

uint32_t top_k(const Config& generation, bool sample) {
  // The reference's own default is 50 where it samples.
  const double value = whole(generation, "top_k", sample ? 50 : 0);
  return value >= 1 && value <= core::limits::kVocabulary ? static_cast<uint32_t>(value) : 0;
}

float repetition_penalty(const Config& generation) {
  const auto value = static_cast<float>(generation.number("repetition_penalty", 1));
  if (!(value > 0)) generation.refuse("repetition_penalty", "a number above 0");
  return value;
}

uint32_t beams(const Config& generation) {
  const int32_t value = std::max(1, generation.whole("num_beams", 1));
  if (value > static_cast<int32_t>(core::limits::kBeams)) generation.refuse("num_beams", fmt::format("at most {}", core::limits::kBeams));
  return static_cast<uint32_t>(value);
}

uint8_t early_stopping(const Config& generation) {
  if (!generation.has("early_stopping")) return 0;
  const Json& value = generation.json().at("early_stopping");
  if (value == "never") return 2;
  if (value == true || value == 1) return 1;
  if (value != false && value != 0) generation.refuse("early_stopping", "true, false or \"never\"");
  return 0;
}

}  // namespace

flatbuffers::Offset<schema::Generation> write_generation(flatbuffers::FlatBufferBuilder& builder, const Config& generation,
                                                         const Config& config, bool from_source) {
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
  table.add_max_length(length(generation, "max", from_source));
  table.add_min_length(length(generation, "min", from_source));
  table.add_temperature(static_cast<float>(drawn(generation, "temperature", sample, 0)));
  table.add_top_p(top_p(generation, sample));
  table.add_top_k(top_k(generation, sample));
  table.add_repetition_penalty(repetition_penalty(generation));
  table.add_sample(sample);
  table.add_beams(beams(generation));
  table.add_length_penalty(static_cast<float>(generation.number("length_penalty", 1)));
  table.add_early_stopping(early_stopping(generation));
  table.add_no_repeat_ngram(static_cast<uint32_t>(std::max(0, generation.whole("no_repeat_ngram_size", 0))));
  return table.Finish();
}

}  // namespace linnet::convert
