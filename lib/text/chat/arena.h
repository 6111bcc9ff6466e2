// The memory of one rendering: taken in chunks, given back as a whole, never more than a limit.
#pragma once

#include <cstddef>
#include <type_traits>

#include "core/array.h"

namespace linnet::text::chat {

class Arena {
 public:
  explicit Arena(size_t limit) noexcept : limit_(limit) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    for (void* chunk : chunks_) core::release(chunk);
  }

  /// Aligned to 16. Errors: out_of_memory, invalid_argument when the limit is passed.
  Status allocate(size_t bytes, void** memory) noexcept;
  /// `count` value-initialised elements.
  template <class T>
  Status make(size_t count, T** elements) noexcept {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    void* memory = nullptr;
    *elements = nullptr;
    if (count > limit_ / sizeof(T)) return too_much();
    LINNET_TRY(allocate(count * sizeof(T), &memory));
    *elements = static_cast<T*>(memory);
    for (size_t i = 0; i < count; ++i) new (*elements + i) T();
    return {};
  }

 private:
  Status too_much() const noexcept;

  core::Array<void*> chunks_;
  char* at_ = nullptr;
  size_t left_ = 0, taken_ = 0, limit_;
};

}  // namespace linnet::text::chat
