// The kernel levels that tests go through.
#pragma once

#include <vector>

#include "kernels/kernels.h"

namespace linnet::test {

/// Levels that this processor runs.
inline std::vector<kernels::Level> levels() {
  std::vector<kernels::Level> found;
  for (int i = 0; i < 32; ++i)
    if (kernels::available(static_cast<kernels::Level>(i))) found.push_back(static_cast<kernels::Level>(i));
  return found;
}

}  // namespace linnet::test
