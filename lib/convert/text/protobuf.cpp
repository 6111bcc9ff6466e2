#include "convert/text/protobuf.h"

#include <bit>

#include "convert/checkpoint.h"

namespace linnet::convert {

namespace {

[[noreturn]] void refuse() { throw Error("a protocol-buffers message is malformed"); }

}  // namespace

float ProtobufReader::Field::number32() const { return std::bit_cast<float>(static_cast<uint32_t>(whole)); }

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) refuse();
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  refuse();
}

uint64_t ProtobufReader::fixed(size_t bytes) {
  if (rest_.size() < bytes) refuse();
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << 8 * i;
  rest_.remove_prefix(bytes);
  return value;
}

bool ProtobufReader::next(Field* field) {
  if (rest_.empty()) return false;
  const uint64_t key = varint();
  if (key >> 3 == 0 || key >> 3 > UINT32_MAX) refuse();
  *field = {};
  field->number = static_cast<uint32_t>(key >> 3);
  switch (key & 7) {
    case 0:
      field->whole = varint();
      break;
    case 1:
      field->whole = fixed(8);
      break;
    case 5:
      field->whole = fixed(4);
      break;
    case 2: {
      const uint64_t length = varint();
      if (length > rest_.size()) refuse();
      field->bytes = rest_.substr(0, length);
      rest_.remove_prefix(length);
      break;
    }
    default:
      refuse();
  }
  return true;
}

}  // namespace linnet::convert
