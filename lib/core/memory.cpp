#include "core/memory.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace linnet::core {
namespace {

constexpr size_t kAlignment = 64;
std::atomic<const AllocationHooks*> g_hooks{nullptr};

}  // namespace

void* allocate(size_t bytes) noexcept {
  if (bytes == 0) bytes = 1;
  if (bytes > SIZE_MAX / 2) return nullptr;
  if (const AllocationHooks* hooks = g_hooks.load(std::memory_order_relaxed)) return hooks->allocate(bytes);
  return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

void release(void* memory) noexcept {
  if (!memory) return;
  if (const AllocationHooks* hooks = g_hooks.load(std::memory_order_relaxed)) return hooks->release(memory);
  std::free(memory);
}

void set_allocation_hooks(const AllocationHooks* hooks) noexcept { g_hooks.store(hooks, std::memory_order_relaxed); }

}  // namespace linnet::core
