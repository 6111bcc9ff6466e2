#include "convert/readers/gguf_rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace linnet::convert {

namespace {

// Rotated channels as a part of the head's; the product must not come out below them.
double rotated_part(uint32_t rotated, uint32_t width) {
  double part = double(rotated) / width;
  while (std::floor(part * width) < rotated) part = std::nextafter(part, 2.0);
  return part;
}

void add_yarn(const GgufKeys& keys, double factor, Json* scaling) {
  if (keys.number("rope.scaling.yarn_log_multiplier", 0) != 0)
    keys.refuse("rope.scaling.yarn_log_multiplier", "0 (a temperature of attention that this architecture does not have)");
  // Below 0 stands for the usual one.
  if (const double part = keys.number("rope.scaling.yarn_ext_factor", 1); part >= 0 && part != 1)
    keys.refuse("rope.scaling.yarn_ext_factor", "1");
  if (keys.number("rope.scaling.yarn_attn_factor", 1) != 1) keys.refuse("rope.scaling.yarn_attn_factor", "1");
  if (keys.has("rope.scaling.yarn_beta_fast")) (*scaling)["beta_fast"] = keys.number("rope.scaling.yarn_beta_fast");
  if (keys.has("rope.scaling.yarn_beta_slow")) (*scaling)["beta_slow"] = keys.number("rope.scaling.yarn_beta_slow");
  // The files' factor comes on top of YaRN's own temperature.
  if (keys.has("rope.scaling.attn_factor"))
    (*scaling)["attention_factor"] = keys.number("rope.scaling.attn_factor") * (0.1 * std::log(std::max(factor, 1.0)) + 1);
}

}  // namespace

void add_gguf_rope(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  (*config)["rope_theta"] = keys.number("rope.freq_base", 10000);
  const uint32_t rotated = keys.count("rope.dimension_count", heads.key_width);
  if (rotated > heads.key_width)
    keys.refuse("rope.dimension_count", fmt::format("no more than the {} channels of a head", heads.key_width));
  if (rotated != heads.key_width) (*config)["partial_rotary_factor"] = rotated_part(rotated, heads.key_width);

  std::string type = keys.text("rope.scaling.type", keys.has("rope.scale_linear") ? "linear" : "none");
  if (keys.has_tensor("rope_factors_long.weight")) type = "longrope";
  if (type == "none") return;
  if (type != "linear" && type != "yarn" && type != "longrope") keys.refuse("rope.scaling.type", "none, linear, yarn or longrope");
  const double factor = keys.number("rope.scaling.factor", keys.number("rope.scale_linear", 0));
  Json scaling = {{"rope_type", type}};
  if (factor > 0) scaling["factor"] = factor;
  if (keys.has("rope.scaling.original_context_length"))
    scaling["original_max_position_embeddings"] = keys.count("rope.scaling.original_context_length");
  if (type == "yarn") add_yarn(keys, factor, &scaling);
  if (type == "longrope" && keys.has("rope.scaling.attn_factor")) scaling["attention_factor"] = keys.number("rope.scaling.attn_factor");
  (*config)["rope_scaling"] = scaling;
}

}  // namespace linnet::convert
