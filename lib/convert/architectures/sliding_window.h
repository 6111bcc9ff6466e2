// Which layers look back at all positions and which at the last few, Longformer's pattern (arXiv 2004.05150) in decoders.
#pragma once

#include <algorithm>

#include "convert/config.h"

namespace linnet::convert::pages {

/// `sliding_window`, where null means none and silence `fallback`.
inline uint32_t sliding_window(const Config& c, uint32_t fallback) {
  if (c.has("sliding_window")) return c.count("sliding_window");
  return c.json().contains("sliding_window") ? 0 : fallback;
}

/// Which layers slide: as layer_types says where the configuration has it, else as `otherwise(layer)` does.
template <class Rule>
std::vector<bool> sliding_layers(const Config& c, uint32_t layers, Rule otherwise) {
  const std::vector<std::string> types = c.texts("layer_types");
  if (!types.empty() && types.size() != layers) c.refuse("layer_types", "one for each of " + std::to_string(layers) + " layers");
  for (const std::string& type : types)
    if (type != "full_attention" && type != "sliding_attention") c.refuse("layer_types", "\"full_attention\" or \"sliding_attention\"");
  std::vector<bool> sliding(layers);
  for (uint32_t i = 0; i < layers; ++i) sliding[i] = types.empty() ? otherwise(i) : types[i] == "sliding_attention";
  return sliding;
}

/// The window of each layer; 0 = all positions.
template <class Rule>
std::vector<uint32_t> layer_windows(const Config& c, uint32_t layers, uint32_t window, Rule otherwise) {
  std::vector<uint32_t> windows;
  for (const bool sliding : sliding_layers(c, layers, otherwise)) windows.push_back(sliding ? window : 0);
  return windows;
}

/// Qwen's windows: none unless they are switched on, then in the upper layers.
inline std::vector<uint32_t> qwen_windows(const Config& c, uint32_t layers) {
  const uint32_t window = c.flag("use_sliding_window", false) ? sliding_window(c, 4096) : 0;
  const auto first_sliding = static_cast<uint32_t>(std::max(0, c.whole("max_window_layers", 28)));
  return layer_windows(c, layers, window, [&](uint32_t layer) { return layer >= first_sliding; });
}

}  // namespace linnet::convert::pages
