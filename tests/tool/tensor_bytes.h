// safetensors files for `linnet run`, made and read byte by byte.
#pragma once

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace linnet::tests {

/// Rows of ids, all of the same length, by the name of their tensor.
using NamedRows = std::vector<std::pair<std::string, std::vector<std::vector<int64_t>>>>;

/// Tensors of int64 ids, [rows, columns].
inline std::string token_files(const NamedRows& tensors) {
  nlohmann::json header;
  std::string data;
  for (const auto& [name, rows] : tensors) {
    const size_t begin = data.size();
    for (const std::vector<int64_t>& row : rows) data.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(int64_t));
    header[name] = {{"dtype", "I64"}, {"shape", {rows.size(), rows[0].size()}}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data;
}
inline std::string token_file(const std::vector<std::vector<int64_t>>& rows, const std::string& name = "input_ids") {
  return token_files({{name, rows}});
}

struct Floats {
  std::vector<uint64_t> shape;
  std::vector<float> numbers;
};

/// A tensor of floats by its name.
inline Floats floats_in(const std::string& file, const std::string& name) {
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const auto entry = nlohmann::json::parse(file.substr(8, length)).at(name);
  const uint64_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
  Floats tensor{entry["shape"], std::vector<float>((end - begin) / sizeof(float))};
  std::memcpy(tensor.numbers.data(), file.data() + 8 + length + begin, end - begin);
  return tensor;
}

}  // namespace linnet::tests
