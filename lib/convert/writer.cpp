#include "convert/writer.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "convert/checkpoint.h"
#include "core/checked.h"
#include "core/limits.h"
#include "core/platform.h"
#include "format/header.h"

namespace linnet::convert {

Writer::Writer(const std::string& path) : path_(path) {
  // Beside the output, not in /tmp: that is where the space is, and what a user watches.
  std::string pattern = path + ".weights-XXXXXX";
  int descriptor = mkstemp(pattern.data());
  if (descriptor < 0) throw Error(path + ": cannot be written: " + std::strerror(errno));
  unlink(pattern.c_str());
  weights_ = fdopen(descriptor, "w+b");
  if (!weights_) {
    close(descriptor);
    throw Error(path + ": cannot be written: " + std::strerror(errno));
  }
}

Writer::~Writer() {
  if (weights_) std::fclose(weights_);
}

Writer::Place Writer::add(const void* bytes, size_t size) {
  static const char kZeros[format::kTensorAlignment] = {};
  uint64_t offset = core::round_up(size_, format::kTensorAlignment);
  size_t gap = static_cast<size_t>(offset - size_);
  if (std::fwrite(kZeros, 1, gap, weights_) != gap || std::fwrite(bytes, 1, size, weights_) != size)
    throw Error(path_ + ": writing its weights failed: " + std::strerror(errno));
  size_ = offset + size;
  return {offset, format::checksum(bytes, size)};
}

format::Header make_header(const void* metadata, size_t size, uint64_t weight_bytes) {
  if (size > core::limits::kMetadataBytes)
    throw Error("its structural part takes " + std::to_string(size) + " bytes, a file may have " +
                std::to_string(core::limits::kMetadataBytes));
  format::Header header = {};
  std::memcpy(header.magic, format::kMagic, sizeof header.magic);
  header.version = format::kVersion;
  header.header_bytes = sizeof header;
  header.metadata_offset = core::round_up(sizeof header, format::kMetadataAlignment);
  header.metadata_bytes = size;
  header.weight_offset = core::round_up(header.metadata_offset + size, format::kWeightAlignment);
  header.file_bytes = header.weight_offset + weight_bytes;
  header.metadata_checksum = format::checksum(metadata, size);
  header.header_checksum = format::checksum(&header, sizeof header);
  return header;
}

uint64_t Writer::finish(const void* metadata, size_t size, const std::function<void()>& tick,
                        const std::function<void(const std::string& path)>& check_whole) {
  format::Header header;
  try {
    header = make_header(metadata, size, size_);
  } catch (const Error& error) {
    throw Error(path_ + ": " + error.what());
  }
  auto created = core::AtomicFile::create(path_.c_str());
  check(created.status());
  core::AtomicFile& file = *created;
  check(file.write(&header, sizeof header));
  check(file.write(metadata, size));
  std::vector<char> buffer(1 << 20);
  std::memset(buffer.data(), 0, format::kWeightAlignment);
  check(file.write(buffer.data(), static_cast<size_t>(header.weight_offset - header.metadata_offset - size)));
  if (std::fflush(weights_) != 0 || std::fseek(weights_, 0, SEEK_SET) != 0)
    throw Error(path_ + ": writing its weights failed: " + std::strerror(errno));
  for (uint64_t left = size_; left > 0;) {
    if (tick) tick();
    size_t got = std::fread(buffer.data(), 1, buffer.size(), weights_);
    if (got == 0) throw Error(path_ + ": reading the collected weights back failed");
    check(file.write(buffer.data(), got));
    left -= got;
  }
  if (check_whole && file.temporary()) check_whole(file.temporary());
  if (tick) tick();
  check(file.commit());
  return header.file_bytes;
}

}  // namespace linnet::convert
