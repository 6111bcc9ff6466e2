#include "kernels/levels.h"
#include "kernels/portable/vector.h"

namespace linnet::kernels {

void fill_vector_portable(VectorKernels& kernels) noexcept {
  kernels.layer_norm = portable::layer_norm;
  kernels.rms_norm = portable::rms_norm;
  kernels.l2_norm = portable::l2_norm;
  kernels.activate = portable::activate;
  kernels.gate = portable::gate;
  kernels.add = portable::add;
  kernels.multiply = portable::multiply;
  kernels.scale = portable::scale;
  kernels.rotate = portable::rotate;
  kernels.turn = portable::turn;
}

}  // namespace linnet::kernels
