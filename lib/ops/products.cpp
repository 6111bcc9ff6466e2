#include "ops/products.h"

namespace linnet::ops {

using schema::Encoding;

bool quantized(const Tensor& tensor) noexcept {
  return tensor.encoding == Encoding::int8 || tensor.encoding == Encoding::int4 || tensor.encoding == Encoding::mxfp4;
}

Status expect_factor(const char* operation, const Tensor& tensor) noexcept {
  switch (tensor.encoding) {
    case Encoding::f32:
    case Encoding::f16:
    case Encoding::bf16:
    case Encoding::int8:
    case Encoding::int4:
    case Encoding::mxfp4:
      return {};
    default:
      return Status::error(Code::unsupported, "%s: tensor \"%.*s\" is encoded as %s, expected f32, f16, bf16, int8, int4 or mxfp4",
                           operation, static_cast<int>(tensor.name.size()), tensor.name.data(), schema::EnumNameEncoding(tensor.encoding));
  }
}

ProductKernel product_kernel(const kernels::LinearKernels& linear, Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::f16:
      return linear.f16;
    case Encoding::bf16:
      return linear.bf16;
    case Encoding::int8:
      return linear.int8;
    case Encoding::int4:
      return linear.int4;
    case Encoding::mxfp4:
      return linear.mxfp4;
    default:
      return linear.f32;
  }
}

}  // namespace linnet::ops
