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
  /// config.json and model.safetensors (f32, bytes) of a checkpoint, in this folder or one below it.
  void write(const FakeCheckpoint& checkpoint, const std::string& below = "") const {
    write(below + "config.json", checkpoint.config());
    Json header = Json::object();
    std::string bytes;
    for (const SourceTensor& tensor : checkpoint.tensors()) {
      const size_t first = bytes.size();
      for (float value : checkpoint.read(tensor.name)) {
        const char byte = static_cast<char>(static_cast<uint8_t>(tensor.type == "U8" ? value : 0));
        tensor.type == "U8" ? bytes.append(1, byte) : bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
      header[tensor.name] = {{"dtype", tensor.type}, {"shape", tensor.shape}, {"data_offsets", {first, bytes.size()}}};
    }
    const std::string text = header.dump();
    const uint64_t length = text.size();
    std::ofstream file(path_ / (below + "model.safetensors"), std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length) << text << bytes;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace linnet::convert
