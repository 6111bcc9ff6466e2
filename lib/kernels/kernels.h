// The kernel interface: all that kernels_x86 and kernels_arm see, and all that operations call.
// A kernel is a plain function: it allocates nothing, starts no thread, knows no tensor, and is total on any numbers
// (NaN and infinity included). The portable one (lib/kernels/portable) defines the meaning; every other is tested against it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention_kernels.h"
#include "kernels/linear_kernels.h"
#include "kernels/vector_kernels.h"
#include "linnet/status.h"

namespace linnet::kernels {

/// In rising order per processor family; a level includes those below it of the same family.
enum class Level : uint8_t { portable = 0, avx2 = 1, avxvnni = 2, avx512vnni = 3, neon = 16, dotprod = 17, i8mm = 18 };

struct Kernels {
  Level level;
  LinearKernels linear;
  VectorKernels vector;
  AttentionKernels attention;
};

/// "portable", "avx2", ...
const char* name(Level level) noexcept;
/// False when there is no level of that name (in this library at all).
bool level_from_name(const char* text, Level* level) noexcept;
/// True when this build has the level and this processor can run it.
bool available(Level level) noexcept;
/// The best available level; where `LINNET_ISA` names an available one, that. Asked once, then fixed.
const Kernels& best() noexcept;
/// What `LINNET_ISA` names and `best` had to pass over: no level, or one that this build or this processor lacks. Null otherwise.
const char* refused_request() noexcept;
/// The table of one level, for sessions that choose it and for tests. `available(level)` must hold.
const Kernels& table(Level level) noexcept;

}  // namespace linnet::kernels
