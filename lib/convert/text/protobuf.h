// Walks the fields of one protocol-buffers message. Everything is checked against the message's end; groups are refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet::convert {

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  struct Field {
    uint32_t number = 0;
    uint64_t whole = 0;      // of a varint, or the bits of a fixed field
    std::string_view bytes;  // of a length-delimited field
    float number32() const;  // a fixed 32-bit field as f32
  };
  /// The next field; false at the end of the message. Throws Error where the message is malformed.
  bool next(Field* field);

 private:
  uint64_t varint();
  uint64_t fixed(size_t bytes);

  std::string_view rest_;
};

}  // namespace linnet::convert
