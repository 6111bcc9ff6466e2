// Rotary position embedding as checkpoints describe it, in the old and the new spelling.
#pragma once

#include <cstdint>
#include <vector>

#include "convert/config.h"

namespace linnet::convert {

/// What RotaryAngles needs; names as in the schema.
struct Rope {
  uint32_t width = 0;  // rotated channels of a head
  float base = 10000;
  schema::RotaryScaling scaling = schema::RotaryScaling::none;
  float factor = 1;
  float low_frequency_factor = 1, high_frequency_factor = 4;
  float beta_fast = 32, beta_slow = 1;
  bool truncate = true;
  float attention_factor = 1;
  uint32_t original_positions = 0;
  std::vector<float> short_factors, long_factors;  // frequencies are divided by them; empty = ones
  std::vector<uint32_t> sections;                  // channel pairs of each axis of a three-axis rotary; empty = one axis
  double scaled_positions = 0;                     // that the scaling stretches the trained ones to; 0 = nothing is said
  /// Positions that a model with `positions` of its own is made for under this scaling: the larger number.
  uint32_t reach(uint32_t positions) const;
  /// Frequencies depend on the total length of the sequence.
  bool depends_on_length() const { return scaling == schema::RotaryScaling::dynamic || scaling == schema::RotaryScaling::longrope; }
};

/// Merges rope_parameters / rope_scaling and the top-level keys. `head_width` channels per head, `base` the family's default of rope_theta.
/// Throws Error naming a rope type that is not known and every value that is missing.
Rope rope_from_config(const Config& config, uint32_t head_width, double base = 10000);

/// Whether there is a set of rope values for each layer type ("full_attention") instead of one for all layers.
bool has_rope_by_layer_type(const Config& config);
/// The configuration as it is for layers of one type, where has_rope_by_layer_type.
Config rope_of_layer_type(const Config& config, const std::string& type);

}  // namespace linnet::convert
