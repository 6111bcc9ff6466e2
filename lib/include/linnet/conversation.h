// Linnet: a conversation with a model, as a chat application has it. The model's own template, tokenizer and generation defaults are used;
// what was computed for earlier turns is computed again only where the conversation changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "linnet/chat.h"
#include "linnet/generate.h"

namespace linnet {

struct ConversationOptions {
  uint32_t context = 0, batch_tokens = 0, threads = 0;  ///< as in Limits
  StateEncoding state = StateEncoding::as_file;
  std::string_view isa = {};
  std::string_view template_name = {};  ///< of the model's chat templates; "" is the usual one
  std::string_view tools_json = {};     ///< as in ChatRequest; copied, like the next
  std::string_view variables_json = {};
  /// When the conversation no longer fits the context beside max_tokens: leave the oldest messages after the system's out, two at a time,
  /// until it does. Otherwise reply() says so (Code::context_full, with the numbers).
  bool forget_oldest = false;
  /// How replies are drawn. The tokenizer is set by the conversation; spans and callbacks stay the caller's. eos, banned ids and forced ids
  /// that are not given are those of the model.
  GenerateOptions generate = {};
};

struct Reply {
  std::string_view text = {};  ///< valid until the conversation changes
  GenerateReport report = {};
  uint32_t prompt_tokens = 0;  ///< of the whole conversation
  uint32_t held = 0;           ///< of those, how many were there already from earlier turns
  uint32_t forgotten = 0;      ///< messages that were left out
};

/// One thread uses it at a time; cancel() may come from any, and from signal handlers.
class LINNET_API Conversation {
 public:
  /// Errors: not_found (the model has no chat template or no tokenizer), unsupported (it writes no text), and those of plan and
  /// Session::create.
  static Result<Conversation> create(const Model& model, const ConversationOptions& options = {}) noexcept;
  Conversation(Conversation&& other) noexcept;
  Conversation& operator=(Conversation&&) = delete;
  ~Conversation();

  Status add(std::string_view role, std::string_view content) noexcept;
  size_t messages() const noexcept;
  ChatMessage message(size_t i) const noexcept;  ///< i < messages(); valid until the conversation changes
  /// Takes the last message back. False where there is none.
  bool remove_last() noexcept;
  void clear() noexcept;

  /// Lets the model answer and adds its answer as a message of the role "assistant". Cancelled while it writes, what was written until then
  /// is the answer (End::stopped); cancelled before, it is Code::cancelled and nothing is added. Errors: those of the template, of
  /// Session::run, and context_full.
  Result<Reply> reply() noexcept;
  /// What reply() would let the model read: text with spans, and ids (either may be null).
  Status preview(ChatText* text, Ids* ids) const noexcept;
  void cancel() noexcept;
  /// How the next replies are drawn; its tokenizer stays the conversation's.
  GenerateOptions& generate_options() noexcept;

  /// Writes the messages to `path` (JSON) and what was computed for them beside it, to `path`.state.
  Status save(const char* path) const noexcept;
  /// Takes both in again, instead of all messages so far. Errors: mismatch (another model, or another state encoding), corrupt, not_found;
  /// then the conversation is as it was.
  Status load(const char* path) noexcept;

  Session& session() noexcept;

  struct Impl;

 private:
  explicit Conversation(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

}  // namespace linnet
