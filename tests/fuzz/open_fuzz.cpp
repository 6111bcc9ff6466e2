// Opens whatever comes and runs what opens: four bytes of length, a structural part of that length, the rest are weights. Header and
// checksums are made right, so that the search goes into the tables instead of breaking its teeth on a sum.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "format/open_model.h"
#include "fuzz/exercise.h"
#include "fuzz/run_program.h"
#include "fuzz/run_sessions.h"

using namespace linnet;
using namespace linnet::tests;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  uint32_t length;
  std::memcpy(&length, data, 4);
  data += 4, size -= 4;
  const size_t split = std::min<size_t>(length, size);
  const Bytes file = seal(Bytes(data, data + split), Bytes(data + split, data + size));
  const AlignedBytes aligned(file);
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  if (!model.ok()) {
    // A refusal is one of these two and says why.
    if (model.status().code() != Code::corrupt && model.status().code() != Code::unsupported) std::abort();
    if (std::strlen(model.status().message()) == 0) std::abort();
    return 0;
  }
  volatile uint64_t sum = read_everything(*model);
  sum = sum + static_cast<uint64_t>(model->verify().code()) + run_programs(*model) + run_sessions(*model);
  return 0;
}
