// Rotary positions as the keys of GGUF files give them.
#pragma once

#include "convert/readers/gguf_config.h"

namespace linnet::convert {

/// rope_theta, partial_rotary_factor and rope_scaling. rope_freqs.weight needs no key: it is read as a tensor.
void add_gguf_rope(const GgufKeys& keys, const GgufHeads& heads, Json* config);

}  // namespace linnet::convert
