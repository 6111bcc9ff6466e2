// Memory that runs out at the n-th allocation, for every n: an error, nothing lost, and the next attempt succeeds.
#include <doctest/doctest.h>

#include "core/failing_memory.h"
#include "format/open_model.h"
#include "format/scratch_folder.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;

TEST_CASE("opening survives the failure of any of its allocations") {
  const ScratchFolder folder;
  for (const TinyModel& tiny : {tiny_encoder(), tiny_decoder()}) {
    const Bytes file = tiny.file();
    const AlignedBytes aligned(file);
    const std::string path = folder.write("model.linnet", file);
    for (bool map : {true, false}) {
      const size_t from_path = fail_every_allocation([&] { return Model::open(path.c_str(), {.map = map}).status().code(); });
      CHECK(from_path > 5);
      const size_t from_bytes =
          fail_every_allocation([&] { return Model::open(aligned.data(), aligned.size(), {.map = map}).status().code(); });
      CHECK(from_bytes == from_path);
    }
  }
}

TEST_CASE("a refusal for which no memory is left still has its code") {
  TinyModel tiny = tiny_encoder();
  tiny.tensors[0].rows = 0;
  const AlignedBytes aligned(tiny.file());
  size_t total = 0;
  for (size_t n = 1; n <= 20; ++n) {
    Code code;
    size_t left;
    {
      const FailingMemory memory(n);
      code = Model::open(aligned.data(), aligned.size()).status().code();
      total = memory.count();
      left = memory.alive();
    }
    CHECK((code == Code::corrupt || code == Code::out_of_memory));
    CHECK(left == 0);
  }
  CHECK(total < 20);
}
