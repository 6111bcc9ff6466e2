// Linnet: what an app calls. Each task takes texts and gives answers; tokenizing, packing and running happen inside.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/session.h"
#include "linnet/tokenizer.h"

namespace linnet {

struct TaskOptions {
  uint32_t max_tokens = 0;      ///< of one text, special tokens included; longer ones are truncated; 0 = what the model allows, at most 512
  uint32_t batch_tokens = 0;    ///< tokens that run together; 0 = max(max_tokens, 1024)
  uint32_t batch_texts = 32;    ///< texts that run together
  uint32_t threads = 0;
  std::string_view isa = {};
  const Adapter* adapter = nullptr;   ///< beside the model, for all texts; null = none
};

/// Text to vector, with the file's own pooling and normalisation.
class LINNET_API Embedder {
 public:
  /// Errors: unsupported (the model gives no sentence embedding; it says what it gives), and all of plan and Session::create.
  static Result<Embedder> create(const Model& model, const TaskOptions& options = {}) noexcept;
  Embedder(Embedder&&) noexcept;
  Embedder& operator=(Embedder&&) = delete;
  ~Embedder();

  size_t width() const noexcept;
  /// One row for each text; valid until the next call. Texts of any lengths are packed without padding.
  Result<Matrix> embed(std::span<const std::string_view> texts) noexcept;
  Session& session() noexcept;

  struct Impl;

 private:
  explicit Embedder(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

/// Text (or a pair of texts) to label probabilities. One-label models (rerankers) give one score: sigmoid of the logit.
class LINNET_API Classifier {
 public:
  static Result<Classifier> create(const Model& model, const TaskOptions& options = {}) noexcept;
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) = delete;
  ~Classifier();

  size_t labels() const noexcept;
  std::string_view label(size_t i) const noexcept;   ///< "LABEL_i" where the file names none
  /// rows: texts, columns: labels. `pairs` is empty or as long as `texts`.
  Result<Matrix> classify(std::span<const std::string_view> texts, std::span<const std::string_view> pairs = {}) noexcept;
  Session& session() noexcept;

  struct Impl;

 private:
  explicit Classifier(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

}  // namespace linnet
