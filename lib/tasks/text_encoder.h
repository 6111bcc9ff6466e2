// Texts through an encoder to one row each: the part that embedding and classification share.
#pragma once

#include <span>
#include <string_view>

#include "core/array.h"
#include "linnet/tasks.h"

namespace linnet::tasks {

class TextEncoder {
 public:
  /// `roles` lists the wanted output's roles, best first; its rows must be one per sequence.
  static Result<TextEncoder> create(const Model& model, const TaskOptions& options, std::span<const std::string_view> roles) noexcept;

  /// A text that goes before each of the texts from now on; it is not copied.
  void put_before(std::string_view prompt) noexcept { prompt_ = prompt; }
  /// One row per text. `pairs` is empty or as long as `texts`.
  Result<Matrix> run(std::span<const std::string_view> texts, std::span<const std::string_view> pairs) noexcept;
  size_t columns() const noexcept { return columns_; }
  const Model& model() const noexcept { return model_; }
  Session& session() noexcept { return session_; }

 private:
  TextEncoder(Model model, Tokenizer tokenizer, Session session) noexcept
      : model_(std::move(model)), tokenizer_(std::move(tokenizer)), session_(std::move(session)) {}
  Status encode(std::string_view text, const std::string_view* pair) noexcept;
  Status run_batch(size_t first, size_t last) noexcept;

  Model model_;
  Tokenizer tokenizer_;
  Session session_;
  std::string_view program_, output_;
  size_t columns_ = 0;
  uint32_t max_tokens_ = 0;
  bool with_types_ = false;
  AdapterId adapter_ = kNoAdapter;
  Ids ids_, types_;               // of all texts of the call, one after the other
  core::Array<size_t> ends_;      // end of each text in them
  core::Array<Input> inputs_;
  core::Array<float> rows_;
  std::string_view prompt_;
  Text text_;                     // the prompt, and a text behind it
};

}  // namespace linnet::tasks
