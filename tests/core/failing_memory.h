// The library's memory, counted, with an allocation that fails.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>

#include "core/memory.h"
#include "linnet/status.h"

namespace linnet::tests {

/// From here to the end of the scope every allocation is counted, and the n-th fails (0: none). One at a time.
class FailingMemory {
 public:
  explicit FailingMemory(size_t fail_at = 0) {
    count_ = alive_ = 0;
    fail_at_ = fail_at;
    core::set_allocation_hooks(&kHooks);
  }
  ~FailingMemory() { core::set_allocation_hooks(nullptr); }
  FailingMemory(const FailingMemory&) = delete;

  static size_t count() { return count_; }
  static size_t alive() { return alive_; }
  static bool reached() { return count_ >= fail_at_; }

 private:
  static void* allocate(size_t bytes) {
    if (++count_ == fail_at_) return nullptr;
    ++alive_;
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  static void release(void* memory) {
    if (memory) --alive_;
    std::free(memory);
  }
  static constexpr core::AllocationHooks kHooks{allocate, release};
  static inline size_t count_ = 0, alive_ = 0, fail_at_ = 0;
};

/// Calls `work` with the n-th allocation failing, for n = 1, 2, ... until it is not reached: each time the code is out_of_memory, nothing
/// is lost, and the next attempt succeeds. Work returns a code; gone with it is all it took. Returns how many were made to fail. (Statuses
/// are allocated too: one may lose its sentence, never its code.)
template <class Work>
size_t fail_every_allocation(Work work) {
  for (size_t n = 1;; ++n) {
    Code code;
    bool reached;
    size_t left;
    {
      const FailingMemory memory(n);
      code = work();
      reached = memory.reached();
      left = memory.alive();
    }
    CAPTURE(n);
    CHECK(left == 0);
    CHECK(code == (reached ? Code::out_of_memory : Code::ok));
    if (!reached) return n - 1;
    CHECK(work() == Code::ok);
  }
}

}  // namespace linnet::tests
