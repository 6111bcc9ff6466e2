#include "text/encode_scratch.h"

#include <new>

#include "core/memory.h"

namespace linnet::text {
namespace {

constexpr size_t kKept = 1 << 20;  // bytes; one long text must not hold its memory for ever

}  // namespace

EncodeScratch* ScratchPool::take() noexcept {
  if (EncodeScratch* spare = spare_.exchange(nullptr)) return spare;
  void* memory = core::allocate(sizeof(EncodeScratch));
  return memory ? new (memory) EncodeScratch() : nullptr;
}

void ScratchPool::give(EncodeScratch* scratch) noexcept {
  EncodeScratch* none = nullptr;
  if (scratch->memory() > kKept || !spare_.compare_exchange_strong(none, scratch)) destroy(scratch);
}

void ScratchPool::destroy(EncodeScratch* scratch) noexcept {
  if (!scratch) return;
  scratch->~EncodeScratch();
  core::release(scratch);
}

}  // namespace linnet::text
