// Opening the bytes of a test model in memory.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "format/tiny_model.h"
#include "linnet/model.h"

namespace linnet::tests {

/// A copy on a multiple of 64, as Model::open wants it, and no byte longer: reading past it is an error of the sanitizer.
class AlignedBytes {
 public:
  explicit AlignedBytes(const Bytes& bytes)
      : size_(bytes.size()), memory_(static_cast<uint8_t*>(std::aligned_alloc(64, (bytes.size() + 64) / 64 * 64)), std::free) {
    if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
  }
  const uint8_t* data() const { return memory_.get(); }
  size_t size() const { return size_; }

 private:
  size_t size_;
  std::unique_ptr<uint8_t, void (*)(void*)> memory_;
};

struct Outcome {
  Code code = Code::ok;
  std::string message;
};

/// What opening says.
inline Outcome open_outcome(const Bytes& bytes, const OpenOptions& options = {}) {
  const AlignedBytes aligned(bytes);
  const Result<Model> model = Model::open(aligned.data(), aligned.size(), options);
  return model.ok() ? Outcome{} : Outcome{model.status().code(), model.status().message()};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace linnet::tests
