// adapter_config.json: what is refused because it is more than a low-rank pair, and the scale of each module's pair.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "convert/adapters/pattern.h"
#include "convert/config.h"

namespace linnet::convert {

class AdapterConfig {
 public:
  /// Throws Error, by the key, for whatever changes the result in a way that this library does not compute.
  explicit AdapterConfig(const Config& config);

  /// alpha / r of a module, or alpha / sqrt(r). Throws Error where the file's rank is not the one that the configuration gives it.
  double scale(const std::string& path, uint32_t rank) const;
  bool lora_bias() const { return lora_bias_; }
  bool fan_in_fan_out() const { return fan_in_fan_out_; }

 private:
  struct Choice {
    Pattern key;
    double value;
  };
  static std::vector<Choice> choices(const Config& config, const std::string& key, bool whole);
  static double choose(const std::vector<Choice>& choices, const std::string& path, double otherwise);

  double rank_, alpha_;
  bool rank_stabilized_, lora_bias_, fan_in_fan_out_;
  std::vector<Choice> ranks_, alphas_;  // in the file's order
};

}  // namespace linnet::convert
