// What the converter reads: a Hugging Face folder or a GGUF file, seen alike. Architecture pages ask for tensors by their Hugging Face
// names and for configuration by Hugging Face keys; the GGUF reader translates both (and undoes the row permutation of q and k).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "convert/error.h"

namespace linnet::convert {

using Json = nlohmann::ordered_json;

struct SourceTensor {
  std::string name;             // Hugging Face name
  std::string type;             // as stored: "F32", "BF16", "F16", "I64", "q4_0", "q6_k", ...
  std::vector<uint64_t> shape;  // outermost first: a linear is [out, in]
};

class GgufMetadata;

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  /// The key-value part of a GGUF file; null for a folder.
  virtual const GgufMetadata* gguf() const { return nullptr; }

  const Json& config() const { return config_; }                        // config.json, or its equivalent from GGUF metadata
  const Json& generation_config() const { return generation_config_; }  // null when absent
  const std::string& path() const { return path_; }
  bool is_gguf() const { return is_gguf_; }
  const std::vector<SourceTensor>& tensors() const { return tensors_; }
  bool has(const std::string& name) const { return index_.count(name) != 0; }
  const SourceTensor& tensor(const std::string& name) const;  // throws Error naming the tensor
  /// All values as f32, row-major; integer types too. Throws Error (missing, malformed, unreadable type).
  virtual std::vector<float> read(const std::string& name) const = 0;
  /// The same for rows [first, first + count) alone: of the outermost dimension; a vector's rows are its numbers.
  virtual std::vector<float> read_rows(const std::string& name, uint64_t first, uint64_t count) const;
  /// Another JSON file of the folder ("modules.json", "1_Pooling/config.json"), or what a GGUF file says of it; null when absent.
  virtual Json file(const std::string& relative) const;
  /// A further checkpoint in a subfolder ("2_Dense"), or null.
  virtual std::unique_ptr<Checkpoint> subfolder(const std::string& relative) const = 0;

 protected:
  Json config_, generation_config_;
  std::string path_;
  bool is_gguf_ = false;
  std::vector<SourceTensor> tensors_;
  std::map<std::string, size_t> index_;
};

/// A folder with config.json and safetensors (sharded or not), or a .gguf file. Refuses by name what it cannot read: quantization_config of
/// other tools (gptq, awq, bitsandbytes, ...), malformed or truncated files, unknown tensor types, unknown GGUF architectures.
std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path);

}  // namespace linnet::convert
