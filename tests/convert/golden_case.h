// Golden cases: a checkpoint, inputs and what the reference computed (shared/goldens). Found by LINNET_SHARED or beside the source tree.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace linnet::convert {

struct GoldenTensor {
  std::vector<size_t> shape;
  std::vector<float> floats;
  std::vector<int32_t> whole;  // of int64 tensors
};

inline std::filesystem::path shared_folder() {
  const char* chosen = std::getenv("LINNET_SHARED");
  return chosen ? std::filesystem::path(chosen) : std::filesystem::path(LINNET_SOURCE_DIR) / ".." / "shared";
}

inline std::map<std::string, GoldenTensor> read_golden_tensors(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string text(length, ' ');
  file.read(text.data(), static_cast<std::streamsize>(length));
  std::map<std::string, GoldenTensor> all;
  const nlohmann::json header = nlohmann::json::parse(text);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    GoldenTensor tensor;
    tensor.shape = entry.at("shape").get<std::vector<size_t>>();
    const size_t first = entry.at("data_offsets").at(0), bytes = entry.at("data_offsets").at(1).get<size_t>() - first;
    std::vector<char> raw(bytes);
    file.seekg(static_cast<std::streamoff>(8 + length + first));
    file.read(raw.data(), static_cast<std::streamsize>(bytes));
    if (entry.at("dtype") == "F32") {
      tensor.floats.resize(bytes / 4);
      std::memcpy(tensor.floats.data(), raw.data(), bytes);
    } else if (entry.at("dtype") == "I64") {
      std::vector<int64_t> wide(bytes / 8);
      std::memcpy(wide.data(), raw.data(), bytes);
      for (int64_t number : wide) tensor.whole.push_back(static_cast<int32_t>(number));
    }
    all[name] = std::move(tensor);
  }
  return all;
}

struct GoldenCase {
  explicit GoldenCase(const std::filesystem::path& where)
      : folder(where),
        description(nlohmann::json::parse(std::ifstream(where / "case.json"))),
        tensors(read_golden_tensors(where / "io.safetensors")) {}
  /// 1 - cosine of the reference's own weight-only round trip.
  double loss(const std::string& kind) const {
    double fallback = kind == "q8_0" ? 0.9995 : 0.95;
    if (!description.contains("quant_reference") || !description["quant_reference"].contains(kind)) return 1 - fallback;
    return 1 - description["quant_reference"][kind].value("cosine", fallback);
  }
  std::filesystem::path folder;
  nlohmann::json description;
  std::map<std::string, GoldenTensor> tensors;
};

/// Folders of cases whose names begin with one of `prefixes`, sorted; empty where there is no shared data.
inline std::vector<std::filesystem::path> golden_folders(const std::vector<std::string>& prefixes) {
  std::vector<std::filesystem::path> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(shared_folder() / "goldens", none))
    for (const std::string& prefix : prefixes)
      if (entry.path().filename().string().rfind(prefix, 0) == 0 && std::filesystem::exists(entry.path() / "case.json"))
        found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// A file name in the folder for temporary files; the file goes with this object.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& name)
      : path((std::filesystem::temp_directory_path() / ("linnet-" + std::to_string(::getpid()) + "-" + name)).string()) {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  std::string path;
};

}  // namespace linnet::convert
