// The one seam to the operating system: files, mappings, the environment, the clock. Every other folder of the runtime asks here, so
// that a port changes one file and a test can inject faults.
#pragma once

#include <cstddef>
#include <cstdint>

#include "linnet/status.h"

namespace linnet::core {

/// An open file. Closes on destruction unless it was adopted from the caller.
class File {
 public:
  File() noexcept = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  static Result<File> open(const char* path) noexcept;
  /// Uses the caller's descriptor; it stays the caller's and stays open.
  static File borrow(int descriptor) noexcept;

  /// Length in bytes, taken once from the descriptor.
  Result<uint64_t> length() const noexcept;
  /// Reads exactly `bytes` at `offset`; a short read is Code::corrupt ("truncated").
  Status read(uint64_t offset, void* out, size_t bytes) const noexcept;
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
  bool owned_ = false;
};

/// A private read-only view of part of a file; unmapped on destruction.
class Mapping {
 public:
  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  /// Maps bytes [offset, offset + bytes). Any offset: the page boundary below it is handled here.
  static Result<Mapping> map(const File& file, uint64_t offset, size_t bytes) noexcept;
  const uint8_t* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }

 private:
  void* base_ = nullptr;
  size_t mapped_ = 0;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Writes a whole file or nothing: to "<path>.part-<process>-<number>" first, synced, then renamed over `path`. Links are followed: what
/// they lead to is replaced. What exists and is no plain file (a device, a pipe) is written to as it stands. A folder is Code::io.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const char* path) noexcept;
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();  // an uncommitted file is removed

  Status write(const void* data, size_t bytes) noexcept;
  /// Moves the write position; a gap reads as zeros (and stays sparse where the file system can).
  Status seek(uint64_t offset) noexcept;
  Status commit() noexcept;
  /// Where what was written stands until it is committed; null for a device.
  const char* temporary() const noexcept { return temporary_; }

 private:
  AtomicFile() noexcept = default;
  int descriptor_ = -1;
  char* path_ = nullptr;       // both owned, from core::allocate
  char* temporary_ = nullptr;  // null for a device
};

/// A variable of the process's environment; null when it is not set.
const char* environment(const char* name) noexcept;

/// Monotonic nanoseconds.
uint64_t now() noexcept;

struct CivilTime {
  int year, month, day, hour, minute, second;  // month and day count from 1
};
/// The time of day where the user is.
CivilTime local_time() noexcept;

}  // namespace linnet::core
