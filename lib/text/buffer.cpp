#include <cstring>
#include <type_traits>

#include "core/memory.h"
#include "linnet/tokenizer.h"

namespace linnet {

template <class T>
Buffer<T>::~Buffer() {
  core::release(data_);
}

template <class T>
Status Buffer<T>::append(const T* items, size_t count) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (count == 0) return {};
  if (count > capacity_ - size_) {
    constexpr size_t kMost = SIZE_MAX / sizeof(T) / 4;
    if (count > kMost || size_ > kMost) return Status::error(Code::out_of_memory, "a buffer cannot hold %zu more elements", count);
    size_t capacity = size_ + count > capacity_ * 2 ? size_ + count : capacity_ * 2;
    if (capacity < 64) capacity = 64;
    T* grown = static_cast<T*>(core::allocate(capacity * sizeof(T)));
    if (!grown) return Status::error(Code::out_of_memory, "no memory for a buffer of %zu elements of %zu bytes", capacity, sizeof(T));
    if (size_ > 0) std::memcpy(grown, data_, size_ * sizeof(T));
    core::release(data_);
    data_ = grown;
    capacity_ = capacity;
  }
  std::memcpy(data_ + size_, items, count * sizeof(T));
  size_ += count;
  return {};
}

template class Buffer<int32_t>;
template class Buffer<char>;
template class Buffer<TextSpan>;

}  // namespace linnet
