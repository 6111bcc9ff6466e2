// Linnet: pictures in a text. A model that reads them has a program that sees and one that writes; between the two stands what is here:
// where a picture's patches lie, and which positions the tokens of a text with pictures have.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/model.h"

namespace linnet {

/// A picture (or the frames of a film) in patches.
struct PictureGrid {
  uint32_t frames = 1, rows = 0, columns = 0;
};

/// How a model takes pictures in.
struct PictureFormat {
  std::string_view see, write;  ///< names of the programs
  int32_t token = -1;           ///< the id that stands for one part of a picture
  uint32_t columns = 0;         ///< numbers of a part, as `write` takes them: the outputs of `see` with role image_features side by side
  bool any_size = false;        ///< pictures come as patches with their places, not as pixels of one size
  uint32_t merge = 1;           ///< of any size: merge x merge patches make a part
  bool three_axes = false;      ///< tokens have three positions
};

/// Errors: unsupported (the model takes no pictures into its texts).
LINNET_API Result<PictureFormat> picture_format(const Model& model) noexcept;

/// Places of one frame's patches in the order in which they are given: part by part, and within each line by line. Four numbers for each
/// patch: row, column, rows, columns. Errors: invalid_argument (the grid does not fall into parts; room for another number).
LINNET_API Status picture_places(const PictureFormat& format, const PictureGrid& grid, std::span<int32_t> places) noexcept;

/// Positions of a text's tokens from `first` on, three for each, where tokens count on all axes alike and a picture's parts by frame, row
/// and column. `next` gets the position behind them, from which writing goes on. Errors: invalid_argument (tokens that stand for pictures
/// are not as many as their parts; room for another number; a position beyond 2^24).
LINNET_API Status picture_positions(const PictureFormat& format, std::span<const int32_t> tokens, std::span<const PictureGrid> grids,
                                    int32_t first, std::span<int32_t> positions, int32_t* next) noexcept;

}  // namespace linnet
