// How the tensors of GGUF files are called in Hugging Face checkpoints, and which rows of them stand elsewhere.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convert/readers/gguf.h"

namespace linnet::convert {

enum class GgufRows {
  same,
  query,
  key,              // rows of a head in pairs, where the architecture's files hold them so
  query_key_value,  // three tensors one under the other
  experts,          // one tensor for each expert
  one_row           // a vector that is a matrix of one row
};

struct GgufName {
  /// Without .weight and .bias. "{}" is a number: of the layer, then of the expert. A "*" at the end stands for anything.
  const char* gguf;
  /// The numbers go to the same places, that of an expert in `experts` too. Three names with "|" between them for query_key_value.
  /// Null: left out on purpose.
  const char* hugging_face;
  GgufRows rows = GgufRows::same;
};

struct GgufHeads {
  uint32_t layers = 0, experts = 0, heads = 0, kv_heads = 0, key_width = 0, value_width = 0;
  bool paired = false;  // the q and k rows of this architecture's files are permuted
};

/// A tensor of the checkpoint: some rows of a tensor of the file. A vector's rows are its values.
struct GgufPart {
  std::string name;
  std::vector<uint64_t> shape;
  uint64_t first = 0, rows = 0;
  uint32_t paired_heads = 0;  // above 0: the rows of that many heads must be put back in order
};

/// Empty for tensors left out on purpose. Throws Error naming a tensor that no rule knows, or whose shape does not fit the model.
std::vector<GgufPart> gguf_parts(const GgufFile::Tensor& tensor, std::span<const GgufName> rules, const GgufHeads& heads);

/// Rotary embedding on halves of a head where the file was written for neighbours: row r of a head of d rows is the file's row
/// 2 (r mod d/2) + r / (d/2). `rows` of `width` values, rows a multiple of 2 * heads.
std::vector<float> halves_from_pairs(const std::vector<float>& values, uint64_t rows, uint64_t width, uint32_t heads);

}  // namespace linnet::convert
