#include "convert/readers/mxfp4.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/layout.h"

namespace linnet::convert {

namespace {

constexpr uint64_t kBlockBytes = 16;
const std::string kBlocks = "_blocks", kScales = "_scales";

bool ends_in(const std::string& text, const std::string& ending) {
  return text.size() > ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

SourceTensor joined(const SourceTensor& blocks, const SourceTensor& scales, const std::string& name) {
  SourceTensor whole{name, "MXFP4", scales.shape};
  std::vector<uint64_t> expected = scales.shape;
  expected.push_back(kBlockBytes);
  if (blocks.type != "U8" || scales.type != "U8" || scales.shape.empty() || blocks.shape != expected)
    throw Error(fmt::format("tensors {} and {} are not bytes of [..., groups, 16] and [..., groups]", blocks.name, scales.name));
  whole.shape.back() *= 2 * kBlockBytes;
  return whole;
}

}  // namespace

std::map<std::string, Mxfp4Tensor> join_mxfp4(std::vector<SourceTensor>* tensors) {
  std::map<std::string, Mxfp4Tensor> made;
  std::vector<SourceTensor> kept;
  const auto named = [&](const std::string& name) {
    return std::find_if(tensors->begin(), tensors->end(), [&](const SourceTensor& tensor) { return tensor.name == name; });
  };
  for (const SourceTensor& tensor : *tensors) {
    const bool is_blocks = ends_in(tensor.name, kBlocks), is_scales = ends_in(tensor.name, kScales);
    if (!is_blocks && !is_scales) {
      kept.push_back(tensor);
      continue;
    }
    const std::string name = tensor.name.substr(0, tensor.name.size() - kBlocks.size());
    const auto other = named(name + (is_blocks ? kScales : kBlocks));
    if (other == tensors->end()) throw Error(fmt::format("tensor {} has no {}", tensor.name, name + (is_blocks ? kScales : kBlocks)));
    if (!is_blocks) continue;
    kept.push_back(joined(tensor, *other, name));
    made[name] = {tensor.name, other->name};
  }
  *tensors = std::move(kept);
  return made;
}

std::vector<float> decode_mxfp4(const std::string& name, const std::vector<float>& blocks, const std::vector<float>& scales) {
  std::vector<float> numbers;
  numbers.reserve(blocks.size() * 2);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto exponent = static_cast<uint8_t>(scales[i / kBlockBytes]);
    if (exponent == 255) throw Error(fmt::format("tensor {} has a block whose exponent stands for no number", name));
    const float power = kernels::mxfp4_power(exponent);
    const auto pair = static_cast<uint8_t>(blocks[i]);
    for (const int nibble : {pair & 15, pair >> 4}) numbers.push_back(0.5f * kernels::kMxfp4Halves[nibble] * power);
  }
  return numbers;
}

}  // namespace linnet::convert
