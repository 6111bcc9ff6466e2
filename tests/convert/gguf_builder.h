// GGUF files made byte by byte, right ones and wrong ones.
#pragma once

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "convert/fake_checkpoint.h"

namespace linnet::convert {

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

inline std::string raw_text(const std::string& text) { return raw<uint64_t>(text.size()) + text; }

inline std::string raw_floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

struct GgufBuilder {
  struct Tensor {
    std::string name;
    std::vector<uint64_t> dimensions;  // the innermost first, as the file has them
    uint32_t type;
    std::string bytes;
    uint64_t offset;  // from the beginning of the data
  };
  std::string magic = "GGUF";
  uint32_t version = 3;
  uint64_t alignment = 32;
  std::vector<std::string> pairs;
  std::vector<Tensor> tensors;

  GgufBuilder& pair(const std::string& key, uint32_t type, const std::string& value) {
    pairs.push_back(raw_text(key) + raw(type) + value);
    return *this;
  }
  GgufBuilder& whole(const std::string& key, uint32_t value) { return pair(key, 4, raw(value)); }
  GgufBuilder& number(const std::string& key, float value) { return pair(key, 6, raw(value)); }
  GgufBuilder& flag(const std::string& key, bool value) { return pair(key, 7, raw<uint8_t>(value)); }
  GgufBuilder& text(const std::string& key, const std::string& value) { return pair(key, 8, raw_text(value)); }
  GgufBuilder& wholes(const std::string& key, const std::vector<int32_t>& values) {
    std::string all = raw<uint32_t>(5) + raw<uint64_t>(values.size());
    for (int32_t value : values) all += raw(value);
    return pair(key, 9, all);
  }
  GgufBuilder& texts(const std::string& key, const std::vector<std::string>& values) {
    std::string all = raw<uint32_t>(8) + raw<uint64_t>(values.size());
    for (const std::string& value : values) all += raw_text(value);
    return pair(key, 9, all);
  }
  GgufBuilder& tensor(const std::string& name, const std::vector<uint64_t>& dimensions, uint32_t type, const std::string& bytes) {
    uint64_t offset = 0;
    if (!tensors.empty()) offset = (tensors.back().offset + tensors.back().bytes.size() + alignment - 1) / alignment * alignment;
    tensors.push_back({name, dimensions, type, bytes, offset});
    return *this;
  }
  /// f32; `shape` has the outermost first.
  GgufBuilder& floats(const std::string& name, std::vector<uint64_t> shape, const std::vector<float>& values) {
    std::reverse(shape.begin(), shape.end());
    return tensor(name, shape, 0, raw_floats(values));
  }

  std::string header() const {
    std::string all = magic + raw(version) + raw<uint64_t>(tensors.size()) + raw<uint64_t>(pairs.size());
    for (const std::string& pair : pairs) all += pair;
    for (const Tensor& tensor : tensors) {
      all += raw_text(tensor.name) + raw(static_cast<uint32_t>(tensor.dimensions.size()));
      for (uint64_t extent : tensor.dimensions) all += raw(extent);
      all += raw(tensor.type) + raw(tensor.offset);
    }
    return all;
  }
  std::string bytes() const {
    std::string all = header();
    all.resize((all.size() + alignment - 1) / alignment * alignment);
    const size_t begin = all.size();
    for (const Tensor& tensor : tensors) {
      if (all.size() < begin + tensor.offset) all.resize(begin + tensor.offset);
      all += tensor.bytes;
    }
    return all;
  }
};

inline std::string write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// Rows of each head as these files hold them for neighbouring pairs: row 2i + t of a head is row i + t d/2 of the model.
inline std::vector<float> paired_rows(const std::vector<float>& values, size_t heads, size_t head_dim) {
  const size_t width = values.size() / (heads * head_dim);
  std::vector<float> out;
  for (size_t h = 0; h < heads; ++h)
    for (size_t i = 0; i < head_dim / 2; ++i)
      for (size_t t = 0; t < 2; ++t) {
        const auto row = values.begin() + static_cast<long>((h * head_dim + i + t * head_dim / 2) * width);
        out.insert(out.end(), row, row + static_cast<long>(width));
      }
  return out;
}

}  // namespace linnet::convert
