// Whatever comes as an adapter of the tiny decoder: four bytes of length, a structural part of that length, the rest are weights. Header
// and checksums are made right; that the base is the right one is for the search to find, or in the seed.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "format/open_model.h"
#include "format/tiny_models.h"
#include "fuzz/run_adapted.h"

using namespace linnet;
using namespace linnet::tests;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const AlignedBytes base_bytes(tiny_decoder().file());
  static const Result<Model> base = Model::open(base_bytes.data(), base_bytes.size());
  if (!base.ok()) std::abort();
  if (size < 4) return 0;
  uint32_t length;
  std::memcpy(&length, data, 4);
  data += 4, size -= 4;
  const size_t split = std::min<size_t>(length, size);
  const Bytes file = seal(Bytes(data, data + split), Bytes(data + split, data + size));
  const AlignedBytes aligned(file);
  static_cast<void>(run_adapted(*base, aligned.data(), aligned.size()));
  return 0;
}
