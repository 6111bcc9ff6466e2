// f32, f16 and bf16 products, 4 rows of W by 2 rows of x.
#include "../products.h"
#include "floats.h"
#include "kernels/loops/dense_tiles.h"
#include "linear.h"

namespace linnet::kernels::neon {
namespace {

struct Tile : Floats {
  static constexpr size_t kStreamAhead = arm::kStreamAhead;
  static constexpr size_t kDenseTokens = 2;
  static constexpr size_t kDenseRows = 4;
};

struct F32 {
  using Stored = float;
  static Floats::Register load(const float* from) { return Floats::load(from); }
  static Floats::Register load_first(const float* from, size_t count) { return Floats::load_first(from, count); }
};

const uint8_t* bytes(const uint16_t* from) { return reinterpret_cast<const uint8_t*>(from); }

struct F16 {
  using Stored = uint16_t;
  static Floats::Register load(const uint16_t* from) { return Floats::load_half(bytes(from)); }
  static Floats::Register load_first(const uint16_t* from, size_t count) { return Floats::load_half_first(bytes(from), count); }
};

struct Bf16 {
  using Stored = uint16_t;
  static Floats::Register load(const uint16_t* from) { return Floats::load_bfloat16(bytes(from)); }
  static Floats::Register load_first(const uint16_t* from, size_t count) { return Floats::load_bfloat16_first(bytes(from), count); }
};

}  // namespace

void f32(const LinearTask& task) { loops::dense_product<Tile, F32>(task); }
void f16(const LinearTask& task) { loops::dense_product<Tile, F16>(task); }
void bf16(const LinearTask& task) { loops::dense_product<Tile, Bf16>(task); }

}  // namespace linnet::kernels::neon
