// A growable array whose growth can fail: the runtime's std::vector. Elements move when it grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "core/memory.h"
#include "core/try.h"

namespace linnet::core {

template <class T>
class Array {
 public:
  Array() noexcept = default;
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept { swap(other); return *this; }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { clear(); release(data_); }

  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  T& operator[](size_t i) noexcept { return data_[i]; }
  const T& operator[](size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  T& back() noexcept { return data_[size_ - 1]; }
  const T& back() const noexcept { return data_[size_ - 1]; }

  Status reserve(size_t capacity) noexcept {
    if (capacity <= capacity_) return {};
    if (capacity > SIZE_MAX / sizeof(T)) return out_of_memory(capacity);
    T* grown = static_cast<T*>(allocate(capacity * sizeof(T)));
    if (!grown) return out_of_memory(capacity);
    for (size_t i = 0; i < size_; ++i) {
      new (grown + i) T(std::move(data_[i]));
      data_[i].~T();
    }
    release(data_);
    data_ = grown;
    capacity_ = capacity;
    return {};
  }
  /// New elements are value-initialised (numbers become 0).
  Status resize(size_t size) noexcept {
    LINNET_TRY(reserve(size));
    while (size_ > size) data_[--size_].~T();
    while (size_ < size) new (data_ + size_++) T();
    return {};
  }
  Status push(T value) noexcept {
    if (size_ == capacity_) LINNET_TRY(reserve(capacity_ ? capacity_ * 2 : 8));
    new (data_ + size_++) T(std::move(value));
    return {};
  }
  void pop() noexcept { data_[--size_].~T(); }
  void clear() noexcept { while (size_ > 0) data_[--size_].~T(); }
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  static Status out_of_memory(size_t count) noexcept {
    return Status::error(Code::out_of_memory, "no memory for %zu elements of %zu bytes", count, sizeof(T));
  }
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace linnet::core
