// Memory that runs out at the n-th allocation, for every n: an error, nothing lost, and the next attempt succeeds.
#include <doctest/doctest.h>

#include <cstdlib>

#include "core/memory.h"
#include "format/open_model.h"
#include "format/scratch_folder.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

size_t g_count = 0, g_fail_at = 0, g_alive = 0;

void* counted_allocate(size_t bytes) {
  if (++g_count == g_fail_at) return nullptr;
  ++g_alive;
  return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
}
void counted_release(void* memory) {
  --g_alive;
  std::free(memory);
}
constexpr core::AllocationHooks kHooks{counted_allocate, counted_release};

// Statuses are allocated too: a failed open may lose its sentence, never its code.
template <class Open>
size_t fail_every_allocation(Open open) {
  size_t failures = 0;
  for (size_t n = 1;; ++n) {
    core::set_allocation_hooks(&kHooks);
    g_count = g_alive = 0, g_fail_at = n;
    bool opened;
    Code code;
    {
      const Result<Model> model = open();
      opened = model.ok();
      code = model.status().code();
    }
    const bool reached = g_count >= n;
    const size_t left = g_alive;
    core::set_allocation_hooks(nullptr);
    CHECK(left == 0);
    if (!reached) {
      CHECK(opened);
      return failures;
    }
    CHECK(!opened);
    CHECK(code == Code::out_of_memory);
    ++failures;
    const Result<Model> again = open();
    CHECK(again.ok());
  }
}

}  // namespace

TEST_CASE("opening survives the failure of any of its allocations") {
  const ScratchFolder folder;
  for (const TinyModel& tiny : {tiny_encoder(), tiny_decoder()}) {
    const Bytes file = tiny.file();
    const AlignedBytes aligned(file);
    const std::string path = folder.write("model.linnet", file);
    for (bool map : {true, false}) {
      const size_t from_path = fail_every_allocation([&] { return Model::open(path.c_str(), {.map = map}); });
      CHECK(from_path > 5);
      CHECK(fail_every_allocation([&] { return Model::open(aligned.data(), aligned.size(), {.map = map}); }) == from_path);
    }
  }
}

TEST_CASE("a refusal for which no memory is left still has its code") {
  TinyModel tiny = tiny_encoder();
  tiny.tensors[0].rows = 0;
  const AlignedBytes aligned(tiny.file());
  size_t total = 0;
  for (size_t n = 1; n <= 20; ++n) {
    core::set_allocation_hooks(&kHooks);
    g_count = g_alive = 0, g_fail_at = n;
    Code code;
    {
      const Result<Model> model = Model::open(aligned.data(), aligned.size());
      code = model.status().code();
    }
    total = g_count;
    const size_t left = g_alive;
    core::set_allocation_hooks(nullptr);
    CHECK((code == Code::corrupt || code == Code::out_of_memory));
    CHECK(left == 0);
  }
  CHECK(total < 20);
}
