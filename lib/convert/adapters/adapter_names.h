// adapter_model.safetensors: its tensors, sorted by the module of the base that they belong to.
#pragma once

#include <map>
#include <string>

#include "convert/readers/safetensors.h"

namespace linnet::convert {

/// Names of the file's tensors; "" = not there.
struct AdaptedModule {
  std::string a, b, b_bias;              // low-rank pair beside a linear
  std::string embedding_a, embedding_b;  // beside an embedding
  std::string weight, bias;              // trained in full: for this module alone
  std::string base_weight;               // another table, for all that read it
};

/// By module path: "model.layers.0.self_attn.q_proj". Throws Error for a name that is not understood, a tensor of a type that weights do
/// not have, a second tensor for the same purpose and a pair without its partner.
std::map<std::string, AdaptedModule> adapted_modules(const SafetensorsFile& file, bool lora_bias);

}  // namespace linnet::convert
