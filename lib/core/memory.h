// Fallible allocation: the only heap access of the runtime library. Null comes back when memory is out;
// nothing here throws or aborts. Tests replace the two functions to count and to fail the n-th call.
#pragma once

#include <cstddef>

namespace linnet::core {

/// At least `bytes` bytes (0 counts as 1), aligned to 64. Null when there are none.
void* allocate(size_t bytes) noexcept;
void release(void* memory) noexcept;

/// Replaces both functions for the whole process; null restores the system's. For tests: set it before other
/// threads run. Memory must be released by the pair that allocated it.
struct AllocationHooks {
  void* (*allocate)(size_t bytes);
  void (*release)(void* memory);
};
void set_allocation_hooks(const AllocationHooks* hooks) noexcept;

}  // namespace linnet::core
