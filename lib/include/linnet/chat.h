// Linnet: conversations to text as a model's own template writes them, with what came from the caller kept apart from what the template
// wrote, so that no text of a message becomes a special token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/tokenizer.h"

namespace linnet {

/// A time of day, for templates that write one.
struct DateTime {
  int year = 1970, month = 1, day = 1;  ///< month and day count from 1
  int hour = 0, minute = 0, second = 0;
};

struct ChatMessage {
  std::string_view role;     ///< "system", "user", "assistant", "tool": what the template understands
  std::string_view content;  ///< UTF-8; invalid bytes count as U+FFFD
};

/// What is rendered. Texts of JSON are UTF-8; "" stands for nothing given.
struct ChatRequest {
  std::span<const ChatMessage> messages = {};
  std::string_view messages_json = {};   ///< instead of `messages`: a list of objects, with tool_calls, reasoning_content, parts, ...
  std::string_view tools_json = {};      ///< a list of functions as JSON schemas
  std::string_view documents_json = {};  ///< a list of documents for templates that cite them
  std::string_view variables_json = {};  ///< an object of further variables: {"enable_thinking": false}
  bool add_generation_prompt = true;     ///< end with the begin of the assistant's answer
  const DateTime* time = nullptr;        ///< what strftime_now tells; null: the system's local time
};

/// The text of a special token by the name that templates use.
struct ChatToken {
  std::string_view name;  ///< "bos_token", "eos_token", ...
  std::string_view text;
};

/// A rendered conversation: its text, and which parts of it came from the request.
class LINNET_API ChatText {
 public:
  std::string_view text() const noexcept { return view(text_); }
  /// In order, without gaps: [begin, end) and whether it came from the request (messages, tools, variables) rather than the template.
  std::span<const TextSpan> spans() const noexcept { return {spans_.data(), spans_.size()}; }
  void clear() noexcept {
    text_.clear();
    spans_.clear();
  }

 private:
  friend class ChatTemplate;
  Text text_;
  Buffer<TextSpan> spans_;
};

/// A model's chat template, compiled. Immutable; may be used by several threads at the same time. In a library that was built with
/// LINNET_CHAT_TEMPLATES=OFF there is none: `create` and `compile` are `unsupported`.
class LINNET_API ChatTemplate {
 public:
  /// The model's template of that name ("" is the usual one), with the model's special tokens. Errors: not_found when the model has no
  /// such template (another model's would be a guess), and those of `compile`.
  static Result<ChatTemplate> create(const Model& model, std::string_view name = "") noexcept;
  /// From the template's text. Errors: corrupt (no template), unsupported (a filter, test or statement that this library does not have,
  /// or a limit is passed); both name the line and the culprit.
  static Result<ChatTemplate> compile(std::string_view text, std::span<const ChatToken> tokens = {}) noexcept;
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  /// Replaces what `out` holds. Errors: invalid_argument with the sentence of raise_exception or what else the template refuses, with
  /// the place in a JSON text, or with the limit that is passed; unsupported for a method that this library does not have.
  Status render(const ChatRequest& request, ChatText* out) const noexcept;

  struct Impl;

 private:
  explicit ChatTemplate(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

}  // namespace linnet
