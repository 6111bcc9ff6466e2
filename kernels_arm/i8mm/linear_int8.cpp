// int8 products with smmla; few rows of x stay with sdot.
#include "../dotprod/linear.h"
#include "linear.h"
#include "tile.h"

namespace linnet::kernels::i8mm {

void int8(const LinearTask& task) {
  if (task.tokens < Packed::kFewest) return dotprod::int8_direct(task);
  arm::packed_product<Packed, false>(task);
}

size_t scratch_bytes(size_t tokens, size_t columns) { return arm::packed_scratch<Packed>(tokens, columns); }

}  // namespace linnet::kernels::i8mm
