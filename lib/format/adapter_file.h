// An opened adapter: a file of its own in a model's container, with targets in place of programs. What it says of itself is checked when
// it is opened; bind() holds it against the one model that it was made for and resolves names to that model's tensors.
#pragma once

#include "format/model_file.h"

namespace linnet::format {

/// What an adapter does to one tensor of its base. Pointers lead into the adapter's weight segment.
struct Target {
  std::string_view base;  // the base's tensor
  uint32_t tensor = 0;    // its index, once bound
  uint32_t base_rows = 0, base_columns = 0;
  schema::TargetKind kind = schema::TargetKind::low_rank;
  schema::Use use = schema::Use::every;
  uint32_t first_row = 0, rows = 0;
  uint32_t rank = 0;            // low_rank, embedding
  const float* a = nullptr;     // low_rank: [rank, base_columns]; embedding: [base_rows, rank]
  const float* b = nullptr;     // low_rank: [rows, rank]; embedding: [base_columns, rank]
  const float* bias = nullptr;  // low_rank: [rows], or null
  Tensor replacement;           // replacement: [rows, base_columns]

  bool replaces_for(schema::Use reader) const {
    return kind == schema::TargetKind::replacement && (use == schema::Use::every || use == reader);
  }
};

class AdapterFile {
 public:
  /// Structure, tensors, and every target's own numbers. The error says so where the file is a model and no adapter.
  static Result<AdapterFile*> open(const char* path, const OpenOptions& options) noexcept;
  static Result<AdapterFile*> open(const void* bytes, size_t length, const OpenOptions& options) noexcept;

  /// Refuses, by name, a base that lacks a target's tensor or has it in another shape, and any file but the one that this was made for.
  Status bind(const ModelFile& base) noexcept;

  void retain() noexcept;
  void release() noexcept;  // the last one deletes

  const ModelFile& file() const noexcept { return *file_; }
  const ModelFile* base() const noexcept { return base_; }
  /// By tensor once bound; the file's order before.
  std::span<const Target> targets() const noexcept { return {targets_.data(), targets_.size()}; }
  /// Those of one tensor of the base.
  std::span<const Target> targets_of(int32_t tensor) const noexcept;
  uint32_t rank() const noexcept { return rank_; }  // the largest
  uint64_t base_hash() const noexcept { return file_->root().adapter()->base_hash(); }
  std::string_view base_name() const noexcept;

 private:
  AdapterFile() noexcept = default;
  ~AdapterFile();
  static Result<AdapterFile*> take(Result<ModelFile*> file) noexcept;
  Status parse() noexcept;

  std::atomic<uint32_t> handles_{1};
  ModelFile* file_ = nullptr;        // counted
  const ModelFile* base_ = nullptr;  // counted
  core::Array<Target> targets_;
  uint32_t rank_ = 0;
};

}  // namespace linnet::format
