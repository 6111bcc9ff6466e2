#include "convert/readers/gguf_header.h"

#include <fmt/format.h>

#include <algorithm>

namespace linnet::convert {
namespace {

constexpr uint64_t kWindow = 1u << 20;
constexpr uint64_t kMaxKey = 65535;  // the format's own bound
// The smallest pair: an empty key, a type and one byte; the smallest tensor: an empty name, a dimension, a type and an offset.
constexpr uint64_t kLeastPair = 13, kLeastTensor = 32;

enum ValueType : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64, kTypes };

// Of one element in the file, at least.
uint64_t least_bytes(uint32_t type) {
  constexpr uint8_t kBytes[kTypes] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  return kBytes[type];
}

bool is_float(uint32_t type) { return type == kF32 || type == kF64; }

double read_float(GgufCursor& cursor, uint32_t type) { return type == kF32 ? double(cursor.number<float>()) : cursor.number<double>(); }

int64_t read_whole(GgufCursor& cursor, uint32_t type, const std::string& key) {
  switch (type) {
    case kU8:
      return cursor.number<uint8_t>();
    case kI8:
      return cursor.number<int8_t>();
    case kU16:
      return cursor.number<uint16_t>();
    case kI16:
      return cursor.number<int16_t>();
    case kU32:
      return cursor.number<uint32_t>();
    case kI32:
      return cursor.number<int32_t>();
    case kBool:
      break;
    default:
      return cursor.number<int64_t>();
  }
  const uint8_t flag = cursor.number<uint8_t>();
  if (flag > 1) throw Error(fmt::format("{}: key '{}' is a truth value of {}, expected 0 or 1", cursor.path(), key, flag));
  return flag;
}

uint32_t read_type(GgufCursor& cursor, const std::string& key) {
  const uint32_t type = cursor.number<uint32_t>();
  if (type >= kTypes)
    throw Error(fmt::format("{}: key '{}' has value type {}, which is not known (expected 0 to 12)", cursor.path(), key, type));
  return type;
}

GgufMetadata::Value read_array(GgufCursor& cursor, const std::string& key) {
  const uint32_t type = read_type(cursor, key);
  const uint64_t count = cursor.number<uint64_t>();
  if (type == kArray) throw Error(fmt::format("{}: key '{}' is a list of lists, which is not read", cursor.path(), key));
  if (count > cursor.left() / least_bytes(type))
    throw Error(fmt::format("{}: key '{}' is a list of {} values, expected no more than fit the file", cursor.path(), key, count));
  auto all = [&](auto read_one) {
    std::vector<decltype(read_one())> values;
    values.reserve(count);
    for (uint64_t i = 0; i < count; ++i) values.push_back(read_one());
    return values;
  };
  if (type == kString) return all([&] { return cursor.text(UINT64_MAX, "a string"); });
  if (is_float(type)) return all([&] { return read_float(cursor, type); });
  return all([&] { return read_whole(cursor, type, key); });
}

GgufMetadata::Value read_value(GgufCursor& cursor, const std::string& key) {
  const uint32_t type = read_type(cursor, key);
  if (type == kArray) return read_array(cursor, key);
  if (type == kString) return cursor.text(UINT64_MAX, "a string");
  if (is_float(type)) return read_float(cursor, type);
  return read_whole(cursor, type, key);
}

void check_version(GgufCursor& cursor) {
  char magic[4];
  for (char& letter : magic) letter = cursor.number<char>();
  if (std::memcmp(magic, "GGUF", 4) != 0) throw Error(cursor.path() + ": is not a GGUF file");
  const uint32_t version = cursor.number<uint32_t>();
  if (version == 2 || version == 3) return;
  const uint32_t swapped = __builtin_bswap32(version);
  if (swapped >= 1 && swapped <= 3) throw Error(cursor.path() + ": is a big-endian GGUF file, which is not read (expected little-endian)");
  throw Error(fmt::format("{}: is GGUF version {}, expected 2 or 3", cursor.path(), version));
}

}  // namespace

void GgufCursor::take(void* to, uint64_t bytes) {
  if (bytes > left()) throw Error(file_.path() + ": is truncated: it ends in the middle of its header");
  if (bytes > kWindow) {
    std::memcpy(to, file_.read(position_, bytes).data(), bytes);
  } else if (bytes > 0) {
    if (position_ < window_begin_ || position_ + bytes > window_begin_ + window_.size()) {
      window_ = file_.read(position_, std::min(kWindow, left()));
      window_begin_ = position_;
    }
    std::memcpy(to, window_.data() + (position_ - window_begin_), bytes);
  }
  position_ += bytes;
}

std::string GgufCursor::text(uint64_t most, const char* what) {
  const uint64_t length = number<uint64_t>();
  if (length > left() || length > most)
    throw Error(fmt::format("{}: {} at byte {} is {} bytes long, which does not fit (truncated or malformed)", path(), what, position_ - 8,
                            length));
  std::string value(length, '\0');
  take(value.data(), length);
  return value;
}

uint64_t read_gguf_pairs(GgufCursor& cursor, GgufMetadata* metadata) {
  check_version(cursor);
  const uint64_t tensors = cursor.number<uint64_t>(), pairs = cursor.number<uint64_t>();
  if (tensors > cursor.left() / kLeastTensor || pairs > cursor.left() / kLeastPair)
    throw Error(
        fmt::format("{}: its header counts {} tensors and {} keys, expected no more than fit the file", cursor.path(), tensors, pairs));
  for (uint64_t i = 0; i < pairs; ++i) {
    const std::string key = cursor.text(kMaxKey, "a key");
    if (metadata->has(key)) throw Error(fmt::format("{}: key '{}' stands there twice", cursor.path(), key));
    metadata->values().emplace(key, read_value(cursor, key));
  }
  return tensors;
}

}  // namespace linnet::convert
