// The numbers that `Experts` works with: shapes of its matrices, and where everything lies in its scratch.
#pragma once

#include "ops/operations.h"

namespace linnet::ops {

struct ExpertShapes {
  const Tensor *gate_up, *down;
  size_t hidden;  // columns of x
  size_t inner;   // columns of h
  size_t out;
  size_t count;  // experts
  bool gate_up_quantized, down_quantized;

  ExpertShapes(const schema::Experts& options, std::span<const Tensor> tensors) noexcept;
};

/// Columns of h, and of out, that one worker computes together.
constexpr size_t kInnerPiece = 64;
constexpr size_t kOutPiece = 32;

/// A tile: pairs of a row and one of its experts that are worked on together.
///
/// Shared scratch holds for each pair of a tile its row of x (q8: H + H/16 + 8 bytes, f32: 4 H), its h (4 I) and, where `down` is
/// quantized, h as q8 (I + I/16 + 8); beside it 4 bytes for every pair of the call. So many pairs are taken as fit 4 MiB, from 16 to 256:
/// OLMoE (H 2048, I 1024, int8) 256 pairs and 1.9 MiB, gpt-oss (2880, 2880) 227 and 4 MiB, Mixtral (4096, 14336) 54 and 4 MiB. Nothing of
/// the size rows * k * 2 I or rows * k * H exists.
struct ExpertScratch {
  size_t tile;  // pairs
  // Offsets in shared scratch.
  size_t order, starts, runs, x, h, h_quantized, shared;
  // In a worker's.
  size_t floats, per_worker;

  ExpertScratch(const ExpertShapes& shapes, uint64_t pairs, const kernels::LinearKernels& linear) noexcept;
};

/// Pairs of a tile that share an expert.
struct ExpertRun {
  uint32_t expert;
  uint32_t first, count;  // in the tile
};

}  // namespace linnet::ops
