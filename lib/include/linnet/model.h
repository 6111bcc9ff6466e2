// Linnet: a model file, opened and verified. A Model is immutable and may be shared by any number of sessions and threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/status.h"

namespace linnet {

namespace format {
class ModelFile;
}

struct OpenOptions {
  /// Map the weights (shared between processes, evictable), or read them into memory: for files that others may change or
  /// truncate while they are in use, which for a mapped file is a fault signal of the system.
  bool map = true;
  /// Also check every tensor's checksum, which reads the whole file. `Model::verify` does the same later.
  bool verify_checksums = false;
};

struct TensorInfo {
  std::string_view name;       ///< as the converter named it
  std::string_view encoding;   ///< "f32", "int8", "int4", ...
  uint64_t rows, columns, count;
  uint64_t bytes;
};

struct PortInfo {
  std::string_view name;       ///< as the reference calls it: "input_ids", "logits"
  std::string_view role;       ///< "token_ids", "logits", ...
  std::string_view rows;       ///< the symbol its rows depend on: "tokens", "outputs", "sequences", ...
  std::string_view type;       ///< "f32", "index"
  uint32_t columns;
  uint32_t bound;              ///< of an index: values are in [0, bound)
};

struct ProgramInfo {
  std::string_view name;
  std::string_view kind;       ///< "encoder", "autoregressive", ...
  uint32_t max_positions;      ///< what the model was made for; 0 = no bound of its own
  size_t inputs, outputs, operations;
  int32_t padding_id;          ///< positions count the tokens that are not this id, from it + 1 on; -1 = they count all, from 0
};

/// Everything that the file says about generating; absent ids are -1.
struct GenerationDefaults {
  int32_t bos = -1, pad = -1, decoder_start = -1, forced_bos = -1, forced_eos = -1;
  std::span<const int32_t> eos, banned;
  uint32_t max_length = 0, min_length = 0;  ///< with what stands before the new ids: of encoder-decoders the one that starts the decoder
  uint32_t top_k = 0, beams = 1, no_repeat_ngram = 0;
  float temperature = 1, top_p = 1, repetition_penalty = 1, length_penalty = 1;
  bool sample = false;
  uint8_t early_stopping = 0;
};

class LINNET_API Model {
 public:
  /// Opens and verifies completely: structure, every index, shape, byte range and size. Errors: not_found, io, corrupt,
  /// unsupported (an operation, encoding or kind newer than this build, by name), out_of_memory.
  static Result<Model> open(const char* path, const OpenOptions& options = {}) noexcept;
  /// From bytes [offset, offset + length) of an open file (an asset inside an archive); the descriptor stays the caller's
  /// and may be closed after the call.
  static Result<Model> open(int descriptor, uint64_t offset, uint64_t length, const OpenOptions& options = {}) noexcept;
  /// From memory that stays valid and unchanged as long as this Model or a session of it. The weights are used where they lie when
  /// `bytes` is a multiple of 64, and are copied once otherwise.
  static Result<Model> open(const void* bytes, size_t length, const OpenOptions& options = {}) noexcept;

  Model(Model&& other) noexcept;
  Model& operator=(Model&& other) noexcept;
  ~Model();
  /// Another handle to the same model.
  Model share() const noexcept;

  std::string_view family() const noexcept;     ///< for people; nothing depends on it
  std::string_view task() const noexcept;       ///< "text_generation", "sentence_embedding", ...
  std::string_view metadata(std::string_view key) const noexcept;   ///< "" when absent
  size_t metadata_count() const noexcept;
  std::pair<std::string_view, std::string_view> metadata_at(size_t i) const noexcept;
  size_t labels() const noexcept;
  std::string_view label(size_t i) const noexcept;
  GenerationDefaults generation() const noexcept;
  std::string_view chat_template(std::string_view name = "") const noexcept;   ///< "" when absent
  /// Texts that go before a text that is embedded, by name ("query"); and the name of the one that is meant where none is asked for.
  size_t prompts() const noexcept;
  std::pair<std::string_view, std::string_view> prompt(size_t i) const noexcept;
  std::string_view default_prompt() const noexcept;   ///< "" when there is none

  // What lies behind the last one is an empty description.
  size_t tensors() const noexcept;
  TensorInfo tensor(size_t i) const noexcept;
  size_t programs() const noexcept;
  ProgramInfo program(size_t i) const noexcept;
  PortInfo input(size_t program, size_t i) const noexcept;
  PortInfo output(size_t program, size_t i) const noexcept;

  uint64_t file_bytes() const noexcept;
  uint64_t weight_bytes() const noexcept;       ///< of the weight segment
  uint64_t hash() const noexcept;               ///< of the structural part and all checksums: binds saved states and adapters

  /// Reads all weights and compares their checksums, and looks for scales that are not finite.
  /// `progress` (may be null) gets bytes done and to do; return false from it to stop (Code::cancelled).
  Status verify(bool (*progress)(void* user, uint64_t done, uint64_t total) = nullptr, void* user = nullptr) const noexcept;

  const format::ModelFile& file() const noexcept { return *file_; }   ///< for the library itself

 private:
  explicit Model(format::ModelFile* file) noexcept : file_(file) {}
  format::ModelFile* file_;   // counted
};

}  // namespace linnet
