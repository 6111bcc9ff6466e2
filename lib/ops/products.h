// What operations that multiply with weights ask of a tensor's encoding.
#pragma once

#include "ops/operation.h"

namespace linnet::ops {

/// The encoding multiplies q8 rows; the others multiply f32.
bool quantized(const Tensor& tensor) noexcept;

/// Refuses, in the name of `operation`, an encoding that no product takes.
Status expect_factor(const char* operation, const Tensor& tensor) noexcept;

using ProductKernel = void (*)(const kernels::LinearTask&);
ProductKernel product_kernel(const kernels::LinearKernels& linear, schema::Encoding encoding) noexcept;

}  // namespace linnet::ops
