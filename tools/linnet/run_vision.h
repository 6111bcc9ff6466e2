// `linnet run` for models that take pictures into their texts.
#pragma once

#include "linnet/pictures.h"
#include "run_batch.h"

namespace linnet::tool {

/// Sees the file's pixel_values (with image_grid_thw where pictures have any size), then reads its input_ids; either may be missing.
void run_with_pictures(const Model& model, const PictureFormat& format, const TensorFile& file, Limits limits, const LoadedAdapter& adapter,
                       TensorFile* results);

}  // namespace linnet::tool
