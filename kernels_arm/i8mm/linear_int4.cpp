// int4 products with smmla, on panels turned into int8; few rows of x stay with sdot.
#include "../dotprod/linear.h"
#include "linear.h"
#include "tile.h"

namespace linnet::kernels::i8mm {

void int4(const LinearTask& task) {
  if (task.tokens < Packed::kFewest) return dotprod::int4_direct(task);
  arm::packed_product<Packed, true>(task);
}

}  // namespace linnet::kernels::i8mm
