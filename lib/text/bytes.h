// Growing bytes that one call to a tokenizer fills and empties again and again. Appending is inline: it happens for every character.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/memory.h"
#include "core/try.h"
#include "text/unicode.h"

namespace linnet::text {

class Bytes {
 public:
  Bytes() noexcept = default;
  Bytes(Bytes&& other) noexcept { swap(other); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { core::release(data_); }

  size_t size() const noexcept { return size_; }
  const char* data() const noexcept { return data_; }
  char* data() noexcept { return data_; }
  std::string_view view() const noexcept { return {data_, size_}; }
  void clear() noexcept { size_ = 0; }
  void shorten(size_t size) noexcept { size_ = size < size_ ? size : size_; }
  void swap(Bytes& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(limit_, other.limit_);
  }
  /// Growing beyond `limit` fails; without one, beyond a quarter of the address space.
  void set_limit(size_t limit) noexcept { limit_ = limit; }
  size_t capacity() const noexcept { return capacity_; }

  /// Room for `more` bytes besides those that are there.
  Status reserve(size_t more) noexcept { return more <= capacity_ - size_ ? Status() : grow(more); }
  /// Only after reserve.
  void put(char byte) noexcept { data_[size_++] = byte; }
  Status push(char byte) noexcept {
    LINNET_TRY(reserve(1));
    put(byte);
    return {};
  }
  /// `bytes` must not be this object's own.
  Status append(std::string_view bytes) noexcept {
    LINNET_TRY(reserve(bytes.size()));
    if (!bytes.empty()) std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return {};
  }

 private:
  Status grow(size_t more) noexcept {
    if (more > limit_ || size_ > limit_ - more)
      return Status::error(Code::out_of_memory, "text would grow to %zu bytes, expected at most %zu", size_ + more, limit_);
    const size_t capacity = (size_ + more > capacity_ * 2 ? size_ + more : capacity_ * 2) + 64;
    auto* grown = static_cast<char*>(core::allocate(capacity));
    if (!grown) return Status::error(Code::out_of_memory, "no memory for %zu bytes of text", capacity);
    if (size_ > 0) std::memcpy(grown, data_, size_);
    core::release(data_);
    data_ = grown;
    capacity_ = capacity;
    return {};
  }

  char* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0, limit_ = SIZE_MAX / 4;
};

/// Only after out->reserve(4).
inline void put_point(char32_t code, Bytes* out) noexcept {
  char bytes[4];
  const uint32_t length = encode(code, bytes);
  for (uint32_t i = 0; i < length; ++i) out->put(bytes[i]);
}

}  // namespace linnet::text
