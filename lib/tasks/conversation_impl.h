// What a conversation is made of.
#pragma once

#include <optional>

#include "core/array.h"
#include "linnet/conversation.h"
#include "linnet/prompt_cache.h"

namespace linnet {

struct Conversation::Impl {
  struct Message {
    Text role, content;
  };

  Impl(Model&& shared, Tokenizer&& words, ChatTemplate&& form, Session&& running) noexcept
      : model(std::move(shared)), tokenizer(std::move(words)), chat(std::move(form)), session(std::move(running)) {}

  Model model;
  Tokenizer tokenizer;
  ChatTemplate chat;
  Session session;
  std::optional<PromptCache> cache;
  GenerateOptions generate;
  Text tools, variables;
  bool forget_oldest = false;
  core::Array<Message> messages;
  Ids read;         // prompt and answer of the last reply
  size_t held = 0;  // how many of them the cache holds

  /// The conversation without `forgotten` messages after the system's, as the model reads it.
  Status render(size_t forgotten, ChatText* text, Ids* ids) const noexcept;
  size_t system_messages() const noexcept;
};

namespace tasks {

/// Appends a message. Errors: out_of_memory; then nothing was added.
Status add_message(core::Array<Conversation::Impl::Message>* messages, std::string_view role, std::string_view content) noexcept;

}  // namespace tasks
}  // namespace linnet
