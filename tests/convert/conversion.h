// Conversions of a test's folder to out.linnet in it, and what they leave there.
#pragma once

#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/convert.h"

namespace linnet::convert {

/// What it was refused with, which begins with the folder's path; "" where it was not.
inline std::string refusal(const CheckpointFolder& folder, const Options& options = {}) {
  try {
    convert::convert(folder.path(), folder.path("out.linnet"), options);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).rfind(folder.path(), 0) == 0);
    return error.what();
  }
  return "";
}

inline Options weights(const std::string& encoding) {
  Options options;
  options.weights = encoding;
  return options;
}

inline size_t files_in(const CheckpointFolder& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()));
}

}  // namespace linnet::convert
