// Frequencies of rotary embeddings: angle = position * frequency, one for each pair of channels.
#pragma once

#include "format/program.h"

namespace linnet::ops {

/// base^(-2i / width) / factors[i] (null = 1), then what the scaling does to it (none, linear, llama3, yarn; longrope with the factors that
/// the length asks for). Of a picture's places: those of half the width, twice. Computed in f64. YaRN: Peng et al. 2023; LongRoPE: Ding et
/// al. 2024.
void rotary_frequencies(const schema::RotaryAngles& options, const float* factors, float* out);

/// The "dynamic NTK" rule at a total length beyond the original positions.
void dynamic_frequencies(const schema::RotaryAngles& options, uint32_t length, const float* factors, float* out);

}  // namespace linnet::ops
