// Linnet: what an app calls. Each task takes texts and gives answers; tokenizing, packing and running happen inside.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/session.h"
#include "linnet/tokenizer.h"

namespace linnet {

struct TaskOptions {
  uint32_t max_tokens = 0;    ///< of one text, special tokens included; longer ones are truncated; 0 = what the model allows, at most 512
  uint32_t batch_tokens = 0;  ///< tokens that run together; 0 = max(max_tokens, 1024)
  uint32_t batch_texts = 32;  ///< texts that run together
  uint32_t threads = 0;
  std::string_view isa = {};
  const Adapter* adapter = nullptr;  ///< beside the model, for all texts; null = none
  std::string_view prompt = {};      ///< Embedder: the name of the file's prompt that goes before each text; "" = its default one, if any
  bool no_prompt = false;            ///< Embedder: texts as they are
};

/// Text to vector, with the file's own pooling and normalisation.
class LINNET_API Embedder {
 public:
  /// Errors: unsupported (the model gives no sentence embedding; it says what it gives), not_found (no prompt of that name), and all of
  /// plan and Session::create.
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
  std::string_view label(size_t i) const noexcept;  ///< "LABEL_i" where the file names none
  /// rows: texts, columns: labels. `pairs` is empty or as long as `texts`.
  Result<Matrix> classify(std::span<const std::string_view> texts, std::span<const std::string_view> pairs = {}) noexcept;
  Session& session() noexcept;

  struct Impl;

 private:
  explicit Classifier(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

struct TranslatorOptions {
  uint32_t max_source = 0;   ///< tokens of one text to read; longer ones are truncated; 0 = what the model allows, at most 1024
  uint32_t max_tokens = 0;   ///< of what is written for one text; 0 = as the file says, else 256
  uint32_t beams = 0;        ///< followed for each text; 1 = none, the most probable next id each time; 0 = as the file says
  uint32_t batch_texts = 8;  ///< texts that are written together where there are no beams
  uint32_t threads = 0;
  std::string_view isa = {};
  const Adapter* adapter = nullptr;  ///< beside the model, for all texts; null = none
};

/// What texts are in, and what they are to become, as codes that the tokenizer has among its special tokens ("en_XX"); "" = as the file
/// says.
struct Languages {
  std::string_view source = {}, target = {};
};

/// Text to text, by encoder-decoders: translation, summaries, whatever the model was trained for.
class LINNET_API Translator {
 public:
  /// Errors: unsupported (the model does not write from a source), not_found (it has no tokenizer), and all of plan and Session::create.
  static Result<Translator> create(const Model& model, const TranslatorOptions& options = {}) noexcept;
  Translator(Translator&&) noexcept;
  Translator& operator=(Translator&&) = delete;
  ~Translator();

  /// Writes one text for each. Errors: invalid_argument (a language that the model does not have, or has no place for; a text without
  /// tokens), and those of Session::run.
  Status translate(std::span<const std::string_view> texts, const Languages& languages = {}) noexcept;

  /// What the last call wrote; valid until the next.
  size_t results() const noexcept;
  std::string_view result(size_t i) const noexcept;
  Session& session() noexcept;

  struct Impl;

 private:
  explicit Translator(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

/// How alike pictures and texts are, of rows of their embeddings as the model's two programs give them:
/// scores[i * texts.rows + t] = scale * (images[i] . texts[t]) + bias. Errors: unsupported (the model does not compare them),
/// invalid_argument (rows of different widths; room for another number of scores).
LINNET_API Status similarity(const Model& model, const Matrix& images, const Matrix& texts, std::span<float> scores) noexcept;

}  // namespace linnet
