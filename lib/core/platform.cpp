// 64-bit file offsets on 32-bit machines too.
#define _FILE_OFFSET_BITS 64

#include "core/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "core/memory.h"
#include "core/try.h"

namespace linnet::core {
namespace {

static_assert(sizeof(off_t) == 8);

Status failed(Code code, const char* what, const char* path) {
  return Status::error(code, "%s: %s failed: %s", path, what, strerror(errno));
}

}  // namespace

// ---------------------------------------------------------------- File

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), owned_(std::exchange(other.owned_, false)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(owned_, other.owned_);
  return *this;
}

File::~File() {
  if (owned_) close(descriptor_);
}

Result<File> File::open(const char* path) noexcept {
  if (!path || !*path) return Status::error(Code::invalid_argument, "no path was given");
  int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed(errno == ENOENT || errno == ENOTDIR ? Code::not_found : Code::io, "opening", path);
  File file = borrow(descriptor);
  file.owned_ = true;
  // A folder opens like a file, and some systems even give it a length; reading is what tells.
  char first;
  if (pread(descriptor, &first, 1, 0) < 0 && errno == EISDIR) return failed(Code::io, "opening", path);
  return file;
}

File File::borrow(int descriptor) noexcept {
  File file;
  file.descriptor_ = descriptor;
  return file;
}

Result<uint64_t> File::length() const noexcept {
  // A borrowed descriptor's position is its owner's.
  const off_t position = lseek(descriptor_, 0, SEEK_CUR), end = lseek(descriptor_, 0, SEEK_END);
  if (position < 0 || end < 0 || lseek(descriptor_, position, SEEK_SET) < 0) return Status::error(Code::io, "the length of the file is not known: %s", strerror(errno));
  return static_cast<uint64_t>(end);
}

Status File::read(uint64_t offset, void* out, size_t bytes) const noexcept {
  char* at = static_cast<char*>(out);
  while (bytes > 0) {
    ssize_t got = pread(descriptor_, at, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::error(Code::io, "reading failed: %s", strerror(errno));
    if (got == 0)
      return Status::error(Code::corrupt, "the file is truncated: %zu bytes are missing at offset %llu", bytes,
                           static_cast<unsigned long long>(offset));
    at += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return {};
}

// ---------------------------------------------------------------- Mapping

Mapping::Mapping(Mapping&& other) noexcept { *this = std::move(other); }

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(mapped_, other.mapped_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (base_) munmap(base_, mapped_);
}

Result<Mapping> Mapping::map(const File& file, uint64_t offset, size_t bytes) noexcept {
  Mapping mapping;
  if (bytes == 0) return mapping;
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t before = offset % page;
  if (bytes > SIZE_MAX - before) return Status::error(Code::unsupported, "%zu bytes cannot be mapped on this machine", bytes);
  const size_t mapped = bytes + static_cast<size_t>(before);
  void* base = mmap(nullptr, mapped, PROT_READ, MAP_PRIVATE, file.descriptor(), static_cast<off_t>(offset - before));
  if (base == MAP_FAILED) return Status::error(Code::io, "mapping %zu bytes failed: %s", bytes, strerror(errno));
  mapping.base_ = base;
  mapping.mapped_ = mapped;
  mapping.data_ = static_cast<const uint8_t*>(base) + before;
  mapping.size_ = bytes;
  return mapping;
}

// ---------------------------------------------------------------- AtomicFile

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::exchange(other.path_, nullptr)),
      temporary_(std::exchange(other.temporary_, nullptr)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    close(descriptor_);
    if (temporary_) unlink(temporary_);
  }
  release(path_);
  release(temporary_);
}

Result<AtomicFile> AtomicFile::create(const char* path) noexcept {
  if (!path || !*path) return Status::error(Code::invalid_argument, "no path was given");
  AtomicFile file;
  char target[PATH_MAX];
  struct stat found;
  if (lstat(path, &found) == 0 && S_ISLNK(found.st_mode) && realpath(path, target)) path = target;
  const bool exists = stat(path, &found) == 0;
  if (exists && S_ISDIR(found.st_mode)) return Status::error(Code::io, "%s: it is a folder, a file was expected", path);
  size_t length = strlen(path);
  size_t room = length + 32;
  file.path_ = static_cast<char*>(allocate(length + 1));
  file.temporary_ = static_cast<char*>(allocate(room));
  if (!file.path_ || !file.temporary_) return Status::error(Code::out_of_memory, "%s: no memory for its name", path);
  memcpy(file.path_, path, length + 1);
  if (exists && !S_ISREG(found.st_mode)) {
    release(std::exchange(file.temporary_, nullptr));
    file.descriptor_ = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file.descriptor_ < 0) return failed(Code::io, "opening", path);
    return file;
  }
  // Several writers in one process must not share a name: count up until one is free.
  for (int attempt = 0; file.descriptor_ < 0; ++attempt) {
    snprintf(file.temporary_, room, "%s.part-%ld-%d", path, static_cast<long>(getpid()), attempt);
    file.descriptor_ = ::open(file.temporary_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.descriptor_ < 0 && (errno != EEXIST || attempt == 999)) return failed(Code::io, "creating", path);
  }
  return file;
}

Status AtomicFile::write(const void* data, size_t bytes) noexcept {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t put = ::write(descriptor_, at, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return failed(Code::io, "writing", path_);
    at += put;
    bytes -= static_cast<size_t>(put);
  }
  return {};
}

Status AtomicFile::seek(uint64_t offset) noexcept {
  if (lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) return failed(Code::io, "seeking", path_);
  return {};
}

Status AtomicFile::commit() noexcept {
  if (!temporary_) {
    int descriptor = std::exchange(descriptor_, -1);
    return close(descriptor) == 0 ? Status() : failed(Code::io, "closing", path_);
  }
  if (fsync(descriptor_) != 0) return failed(Code::io, "writing", path_);
  if (rename(temporary_, path_) != 0) return failed(Code::io, "renaming", path_);
  int descriptor = std::exchange(descriptor_, -1);
  if (close(descriptor) != 0) return failed(Code::io, "closing", path_);
  return {};
}

const char* environment(const char* name) noexcept { return getenv(name); }

uint64_t now() noexcept {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

CivilTime local_time() noexcept {
  const time_t seconds = time(nullptr);
  tm parts{};
  if (!localtime_r(&seconds, &parts)) return {1970, 1, 1, 0, 0, 0};
  return {parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec};
}

}  // namespace linnet::core
