// The dot product level's kernels of linear_kernels.h, one file for each encoding.
#pragma once

#include "kernels/linear_kernels.h"

namespace linnet::kernels::dotprod {

void int8(const LinearTask& task);
void int4(const LinearTask& task);
size_t scratch_bytes(size_t tokens, size_t columns);

/// On x as it is, without scratch: the faster way for few rows.
void int8_direct(const LinearTask& task);
void int4_direct(const LinearTask& task);

}  // namespace linnet::kernels::dotprod
