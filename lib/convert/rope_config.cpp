#include "convert/rope_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/limits.h"

namespace linnet::convert {

namespace {

using schema::RotaryScaling;

RotaryScaling scaling_from_name(const std::string& type) {
  if (type == "default") return RotaryScaling::none;
  if (type == "linear") return RotaryScaling::linear;
  if (type == "dynamic") return RotaryScaling::dynamic;
  if (type == "llama3") return RotaryScaling::llama3;
  if (type == "yarn") return RotaryScaling::yarn;
  if (type == "longrope" || type == "su") return RotaryScaling::longrope;
  throw Error(fmt::format("the rope type \"{}\" is not supported (default, linear, dynamic, llama3, yarn, longrope)", type));
}

// YaRN, arXiv 2309.00071: the temperature of attention as a factor of cos and sin.
double yarn_temperature(double factor, double mscale) { return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1; }

double yarn_attention_factor(const Config& scaling, double factor) {
  if (scaling.has("attention_factor")) return scaling.number("attention_factor");
  double mscale = scaling.number("mscale", 0), all = scaling.number("mscale_all_dim", 0);
  if (mscale != 0 && all != 0) return yarn_temperature(factor, mscale) / yarn_temperature(factor, all);
  return yarn_temperature(factor, 1);
}

uint32_t original_positions(const Config& config, const Config& scaling) {
  const char* key = "original_max_position_embeddings";
  if (config.has(key)) return config.count(key);  // Phi-3: the top level overrides
  return scaling.has(key) ? scaling.count(key) : config.count("max_position_embeddings");
}

// As f32, where a number may become 0 that was above it.
float positive(const Config& config, const std::string& key, double value) {
  const float narrowed = static_cast<float>(value);
  if (!(narrowed > 0)) config.refuse(key, "a number above 0");
  return narrowed;
}

float attention_factor(const Config& scaling, double value) {
  if (!(std::fabs(value) <= std::numeric_limits<float>::max()))
    scaling.refuse("attention_factor", "a finite number (this scaling's own values lead to none)");
  return static_cast<float>(value);
}

void read_llama3(const Config& scaling, Rope* rope) {
  rope->factor = positive(scaling, "factor", scaling.number("factor"));
  rope->low_frequency_factor = positive(scaling, "low_freq_factor", scaling.number("low_freq_factor"));
  rope->high_frequency_factor = positive(scaling, "high_freq_factor", scaling.number("high_freq_factor"));
  if (rope->high_frequency_factor <= rope->low_frequency_factor) scaling.refuse("high_freq_factor", "more than low_freq_factor");
}

// Files are of two minds whether max_position_embeddings is the length before the scaling or after it. "linear" alone says neither;
// some write the stretched length under a key of its own.
double linear_positions(const Config& config, const Config& scaling, double factor) {
  const double longest = std::max(1.0, config.number("max_sequence_length", 1));  // some write 0 or -1 for none
  const char* key = "original_max_position_embeddings";
  return scaling.has(key) || config.has(key) ? std::max(longest, original_positions(config, scaling) * factor) : longest;
}

void read_yarn(const Config& config, const Config& scaling, Rope* rope) {
  double ratio = config.has("max_position_embeddings") ? double(config.count("max_position_embeddings")) / rope->original_positions : 1;
  const double factor = scaling.number("factor", ratio);
  rope->factor = positive(scaling, "factor", factor);
  rope->beta_fast = positive(scaling, "beta_fast", scaling.number("beta_fast", 32));
  rope->beta_slow = positive(scaling, "beta_slow", scaling.number("beta_slow", 1));
  rope->truncate = scaling.flag("truncate", true);
  rope->scaled_positions = rope->original_positions * factor;
  rope->attention_factor = attention_factor(scaling, yarn_attention_factor(scaling, factor));
}

// LongRoPE, arXiv 2402.13753.
void read_longrope(const Config& config, const Config& scaling, Rope* rope) {
  rope->short_factors = scaling.numbers("short_factor");
  rope->long_factors = scaling.numbers("long_factor");
  for (const char* key : {"short_factor", "long_factor"})
    if (scaling.numbers(key).size() != rope->width / 2) scaling.refuse(key, fmt::format("a list of {} numbers", rope->width / 2));
  for (const char* key : {"short_factor", "long_factor"})
    for (float divisor : scaling.numbers(key))
      if (!(divisor > 0)) scaling.refuse(key, "numbers above 0");
  double original = rope->original_positions;
  double factor = config.has("max_position_embeddings") ? config.count("max_position_embeddings") / original : 1;
  factor = scaling.number("factor", factor);
  rope->factor = positive(scaling, "factor", factor);
  rope->scaled_positions = original * factor;
  double attention = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original));
  rope->attention_factor = attention_factor(scaling, scaling.has("attention_factor") ? scaling.number("attention_factor") : attention);
}

// A rope_scaling that is there wins over rope_parameters.
const char* values_key(const Config& config) { return config.has("rope_scaling") ? "rope_scaling" : "rope_parameters"; }

}  // namespace

uint32_t Rope::reach(uint32_t positions) const {
  const double longer = std::max(std::floor(scaled_positions), double(positions));
  return static_cast<uint32_t>(std::clamp(longer, 1.0, double(core::limits::kContext)));
}

Rope rope_from_config(const Config& config, uint32_t head_width, double base) {
  Config scaling = config.object(values_key(config));
  for (const auto& [key, value] : scaling.json().items())
    if (value.is_object()) scaling.refuse(key, "one set of rope values for all layers");
  auto either = [&](const std::string& key, double fallback) {
    return scaling.has(key) ? scaling.number(key) : config.number(key, fallback);
  };
  Rope rope;
  rope.base = static_cast<float>(either("rope_theta", base));
  if (!(rope.base > 1)) (scaling.has("rope_theta") ? scaling : config).refuse("rope_theta", "a number above 1");
  double width = std::floor(head_width * either("partial_rotary_factor", 1));
  if (!(width >= 2 && width <= head_width) || std::fmod(width, 2) != 0)
    throw Error(fmt::format("{} of {} channels of a head would be rotated, expected an even number", width, head_width));
  rope.width = static_cast<uint32_t>(width);
  rope.scaling = scaling_from_name(scaling.text("rope_type", scaling.text("type", "default")));
  switch (rope.scaling) {
    case RotaryScaling::linear:
      rope.factor = positive(scaling, "factor", scaling.number("factor"));
      rope.scaled_positions = linear_positions(config, scaling, scaling.number("factor"));
      break;
    case RotaryScaling::dynamic:
      rope.factor = positive(scaling, "factor", scaling.number("factor"));
      rope.original_positions = config.count("max_position_embeddings");
      rope.scaled_positions = rope.original_positions * scaling.number("factor");
      scaling.require("alpha", nullptr, "the base is not scaled by a number of its own");
      if (rope.width == 2) throw Error("the rope type \"dynamic\" needs more than 2 rotated channels in a head");
      break;
    case RotaryScaling::llama3:
      rope.original_positions = original_positions(config, scaling);
      read_llama3(scaling, &rope);
      break;
    case RotaryScaling::yarn:
      rope.original_positions = original_positions(config, scaling);
      read_yarn(config, scaling, &rope);
      break;
    case RotaryScaling::longrope:
      rope.original_positions = original_positions(config, scaling);
      read_longrope(config, scaling, &rope);
      break;
    default:
      break;
  }
  return rope;
}

bool has_rope_by_layer_type(const Config& config) {
  const Config values = config.object(values_key(config));
  return std::any_of(values.json().begin(), values.json().end(), [](const Json& value) { return value.is_object(); });
}

Config rope_of_layer_type(const Config& config, const std::string& type) {
  const std::string key = values_key(config);
  Json json = config.json();
  json[key] = config.object(key).object(type).json();
  return Config(json);
}

}  // namespace linnet::convert
