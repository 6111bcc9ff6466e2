// Linnet: text to token ids and back, exactly as the model's reference does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/model.h"

namespace linnet {

/// Growing output memory of the text functions, reused between calls.
template <class T>
class LINNET_API Buffer {
 public:
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();
  void clear() noexcept { size_ = 0; }
  size_t size() const noexcept { return size_; }
  const T* data() const noexcept { return data_; }
  const T& operator[](size_t i) const noexcept { return data_[i]; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  Status append(const T* items, size_t count) noexcept;

 private:
  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};
using Ids = Buffer<int32_t>;
using Text = Buffer<char>;
inline std::string_view view(const Text& text) { return {text.data(), text.size()}; }

/// A part of a text, in bytes.
struct TextSpan {
  size_t begin, end;
  bool data;  ///< written by someone who must not write special tokens: a message of a chat
};

class LINNET_API Tokenizer {
 public:
  /// The model's own tokenizer. not_found when the file has none.
  static Result<Tokenizer> create(const Model& model) noexcept;
  /// That of what a translator writes: the model's own, unless the two sides have vocabularies of their own.
  static Result<Tokenizer> create_target(const Model& model) noexcept;
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  struct EncodeOptions {
    bool add_special = true;    ///< the post-processor's tokens ([CLS], <s>, ...)
    bool match_special = true;  ///< special tokens written in the text become their ids; false for text of users in a chat
    uint32_t max_tokens = 0;    ///< truncates (special tokens included); 0 = the model's own rule or none
  };
  /// Appends the ids of `text` (UTF-8; invalid bytes count as U+FFFD each).
  Status encode(std::string_view text, const EncodeOptions& options, Ids* ids) const noexcept;
  /// The text of a chat, which holds its special tokens already: they count only where they lie outside of `data` spans altogether. In
  /// all else it is one text: words may reach over a border. Nothing is added and nothing truncated. `text` is valid UTF-8, and `spans`
  /// lie in order without gaps (chat.h makes both).
  Status encode_chat(std::string_view text, std::span<const TextSpan> spans, Ids* ids) const noexcept;
  /// A pair (question and context, query and passage) with the type id of every token.
  Status encode_pair(std::string_view text, std::string_view pair, const EncodeOptions& options, Ids* ids, Ids* type_ids) const noexcept;
  /// Appends the text of `ids`; ids that do not exist are skipped.
  Status decode(std::span<const int32_t> ids, bool skip_special, Text* text) const noexcept;

  size_t vocabulary() const noexcept;
  /// The piece as stored; "" when there is none.
  std::string_view piece(int32_t id) const noexcept;
  /// -1 when there is none.
  int32_t id(std::string_view piece) const noexcept;
  bool is_special(int32_t id) const noexcept;

  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }
  explicit Tokenizer(Impl* impl) noexcept : impl_(impl) {}

 private:
  Impl* impl_;
};

/// Text of a growing list of ids, released in whole characters only and never taken back.
class LINNET_API StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special) noexcept;
  StreamDecoder(const StreamDecoder&) = delete;
  ~StreamDecoder();
  /// Appends what `id` completed.
  Status put(int32_t id, Text* text) noexcept;
  /// Takes in ids whose text is known already (a prompt): what comes next is decoded as their continuation.
  Status skip(std::span<const int32_t> ids) noexcept;
  /// Appends what is left, dead bytes as U+FFFD.
  Status finish(Text* text) noexcept;

 private:
  struct Impl;
  Status decode(int32_t id) noexcept;
  const Tokenizer& tokenizer_;
  Impl* impl_ = nullptr;  // made by the first id
  bool skip_special_;
};

}  // namespace linnet
