// Linnet: errors. A Status is one pointer wide and null when all is well, so success costs nothing.
// An error holds a code and one sentence that names the culprit (file, tensor, argument) and what was expected.
#pragma once

#include <cstdint>
#include <new>
#include <utility>

#include "linnet/api.h"

namespace linnet {

/// Stable numbers, grouped: 0x1_ the caller, 0x2_ the file, 0x3_ the machine.
enum class Code : uint16_t {
  ok = 0,
  invalid_argument = 0x10,  ///< an argument is out of its range
  context_full = 0x11,      ///< more positions or tokens than planned
  busy = 0x12,              ///< the session is in use by another thread
  cancelled = 0x13,         ///< cancel() was called; the last committed state is kept
  not_found = 0x14,         ///< no such file, tensor, program or input
  corrupt = 0x20,           ///< the file contradicts itself, is truncated, or is not a Linnet file
  unsupported = 0x21,       ///< the file asks for something this build does not have, named in the message
  mismatch = 0x22,          ///< two files do not belong together (a saved state and another model)
  out_of_memory = 0x30,     ///< an allocation failed, or the caller's arena is too small
  io = 0x31,                ///< reading, mapping or writing failed
};

class [[nodiscard]] LINNET_API Status {
 public:
  Status() noexcept = default;
  Status(Status&& other) noexcept : error_(std::exchange(other.error_, nullptr)) {}
  Status& operator=(Status&& other) noexcept;
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  ~Status() { if (error_) release(); }

  /// Formats one sentence (printf rules; keep floating point out: its form depends on the locale).
  /// Never fails: when no memory is left for the sentence, the code's own name stands in for it.
#if defined(__GNUC__)
  __attribute__((format(printf, 2, 3)))
#endif
  static Status error(Code code, const char* format, ...) noexcept;

  bool ok() const noexcept { return error_ == nullptr; }
  explicit operator bool() const noexcept { return ok(); }
  Code code() const noexcept;
  /// One sentence, without a final newline; "" when ok. Valid as long as this Status.
  const char* message() const noexcept;

 private:
  struct Error;
  void release() noexcept;
  const Error* error_ = nullptr;
};

/// The code's name, such as "corrupt".
LINNET_API const char* name(Code code) noexcept;

/// A value or the Status that says why there is none. Check ok() before the value is touched.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept : has_value_(true) { new (&storage_) T(std::move(value)); }
  Result(Status status) noexcept : has_value_(false), status_(std::move(status)) {}
  Result(Result&& other) noexcept : has_value_(other.has_value_), status_(std::move(other.status_)) {
    if (has_value_) new (&storage_) T(std::move(other.value()));
  }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&&) = delete;
  ~Result() { if (has_value_) value().~T(); }

  bool ok() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }
  const Status& status() const& noexcept { return status_; }
  Status status() && noexcept { return std::move(status_); }
  T& value() noexcept { return *std::launder(reinterpret_cast<T*>(&storage_)); }
  const T& value() const noexcept { return *std::launder(reinterpret_cast<const T*>(&storage_)); }
  T& operator*() noexcept { return value(); }
  const T& operator*() const noexcept { return value(); }
  T* operator->() noexcept { return &value(); }
  const T* operator->() const noexcept { return &value(); }

 private:
  alignas(T) unsigned char storage_[sizeof(T)];
  bool has_value_;
  Status status_;
};

}  // namespace linnet
