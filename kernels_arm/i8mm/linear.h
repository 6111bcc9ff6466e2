// The matrix multiply level's kernels of linear_kernels.h, one file for each encoding.
#pragma once

#include "kernels/linear_kernels.h"

namespace linnet::kernels::i8mm {

void int8(const LinearTask& task);
void int4(const LinearTask& task);
size_t scratch_bytes(size_t tokens, size_t columns);

}  // namespace linnet::kernels::i8mm
