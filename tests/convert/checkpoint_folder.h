// Writes checkpoints of tests to disk as a Hugging Face folder.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "convert/fake_checkpoint.h"

namespace linnet::convert {

/// A folder for one test; goes with this object.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("linnet-" + std::to_string(::getpid()) + "-" + name)) {
    std::filesystem::create_directories(path_);
  }
  ~CheckpointFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& file = "") const { return (path_ / file).string(); }

  /// `file` may lie in a subfolder.
  void write(const std::string& file, const Json& json) const {
    std::filesystem::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << json.dump();
  }
  /// config.json and model.safetensors (f32) of a checkpoint, in this folder or one below it.
  void write(const FakeCheckpoint& checkpoint, const std::string& below = "") const {
    write(below + "config.json", checkpoint.config());
    Json header = Json::object();
    std::vector<float> numbers;
    for (const SourceTensor& tensor : checkpoint.tensors()) {
      std::vector<float> values = checkpoint.read(tensor.name);
      header[tensor.name] = {
          {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {numbers.size() * 4, (numbers.size() + values.size()) * 4}}};
      numbers.insert(numbers.end(), values.begin(), values.end());
    }
    const std::string text = header.dump();
    const uint64_t length = text.size();
    std::ofstream file(path_ / (below + "model.safetensors"), std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length) << text;
    file.write(reinterpret_cast<const char*>(numbers.data()), static_cast<std::streamsize>(numbers.size() * 4));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace linnet::convert
