// f32 matrices into the bytes of an encoding (lib/kernels/layout.h), with the damage done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "linnet_generated.h"

namespace linnet::convert {

using schema::Encoding;

struct Packed {
  Encoding encoding = Encoding::f32;
  uint32_t group = 0;
  std::vector<uint8_t> bytes;  // exactly format::tensor_bytes(encoding, rows, columns, count)
  double squared_error = 0;    // sum over weights of (w - stored)^2
  double squared_weight = 0;   // sum of w^2
};

/// Packs `count` stacked matrices [rows, columns]. int4 searches scale and offset as quantization.md says; `importance` (may be empty, else
/// [columns]) weighs the columns' errors. Throws Error for non-finite weights (naming `name`) and sizes past the limits.
Packed pack(const std::string& name, const std::vector<float>& weights, uint32_t rows, uint32_t columns, uint32_t count, Encoding encoding,
            const std::vector<float>& importance = {});

/// The values that the packed bytes stand for, [count, rows, columns].
std::vector<float> unpack(const Packed& packed, uint32_t rows, uint32_t columns, uint32_t count);

/// W <- W H over blocks of `block` columns (the weight's side of the turn of a linear's input). `block` divides `columns`.
void turn_columns(std::vector<float>& weights, uint32_t columns, uint32_t block);
/// The block that `quantization.md` prescribes for a width: 64, else the largest power of two that divides it and is at least 16, else 0.
uint32_t turn_block(uint32_t columns);

/// Column folds (quantization.md, "Fold", without calibration): factors s[j] for a producer's outputs so that the consumers' columns are
/// even. Each consumer is [rows, columns]. Returns all ones for a healthy set.
std::vector<float> fold_factors(const std::vector<const std::vector<float>*>& consumers, uint32_t columns);

}  // namespace linnet::convert
