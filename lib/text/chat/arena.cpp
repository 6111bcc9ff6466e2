#include "text/chat/arena.h"

namespace linnet::text::chat {
namespace {

constexpr size_t kChunk = 64 << 10, kAlignment = 16;

}  // namespace

Status Arena::too_much() const noexcept {
  return Status::error(Code::invalid_argument, "the chat template needs more than %zu bytes of memory for its values", limit_);
}

Status Arena::allocate(size_t bytes, void** memory) noexcept {
  if (bytes > limit_) return too_much();
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded > left_) {
    // What is large gets a chunk of its own, and the one at hand stays in use.
    const bool large = rounded > kChunk / 4;
    const size_t chunk = large ? rounded : kChunk;
    if (chunk > limit_ - taken_) return too_much();
    LINNET_TRY(chunks_.reserve(chunks_.size() == 0 ? 16 : chunks_.size() % 16 ? 0 : chunks_.size() * 2));
    auto* taken = static_cast<char*>(core::allocate(chunk));
    if (!taken) return Status::error(Code::out_of_memory, "no memory for the %zu bytes of a chat template's values", chunk);
    LINNET_TRY(chunks_.push(taken));
    taken_ += chunk;
    if (large) {
      *memory = taken;
      return {};
    }
    at_ = taken;
    left_ = chunk;
  }
  *memory = at_;
  at_ += rounded;
  left_ -= rounded;
  return {};
}

}  // namespace linnet::text::chat
