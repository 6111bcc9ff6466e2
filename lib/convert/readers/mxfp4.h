// OCP Microscaling's four-bit floats as safetensors files keep them: `name`_blocks, [..., groups, 16] bytes of two values each, low nibble
// first, and `name`_scales, [..., groups] exponents.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "convert/checkpoint.h"

namespace linnet::convert {

/// What a tensor's blocks and scales make: type "MXFP4", shape [..., 32 * groups].
struct Mxfp4Tensor {
  std::string blocks, scales;
};

/// Puts one tensor in the place of each pair. Throws Error naming a tensor whose other half is missing or does not fit.
std::map<std::string, Mxfp4Tensor> join_mxfp4(std::vector<SourceTensor>* tensors);

/// The numbers of whole groups: 16 bytes and one exponent each, given as numbers. Throws Error, naming the tensor, for an exponent of 255.
std::vector<float> decode_mxfp4(const std::string& name, const std::vector<float>& blocks, const std::vector<float>& scales);

}  // namespace linnet::convert
