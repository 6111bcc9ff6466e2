#include "linnet/conversation.h"

#include <algorithm>

#include "core/memory.h"
#include "core/try.h"
#include "generate/program.h"
#include "tasks/conversation_impl.h"

namespace linnet {

namespace tasks {

Status add_message(core::Array<Conversation::Impl::Message>* messages, std::string_view role, std::string_view content) noexcept {
  Conversation::Impl::Message message;
  LINNET_TRY(message.role.append(role.data(), role.size()));
  LINNET_TRY(message.content.append(content.data(), content.size()));
  return messages->push(std::move(message));
}

}  // namespace tasks

namespace {

constexpr uint32_t kSequences = 2;  // the conversation, and the branch that it left last

Status check_writes(const Model& model) {
  const Result<generation::Autoregressive> found = generation::find_autoregressive(model);
  if (found.ok() && !found->reads_source()) return {};
  return Status::error(
      Code::unsupported,
      found.ok() ? "the model writes from a source, not on from what was said; its task is %s" : "the model writes no text; its task is %s",
      model.task().data());
}

// What the caller left open is as the model's file says.
GenerateOptions with_defaults(GenerateOptions options, const GenerationDefaults& defaults) {
  if (options.eos.empty()) options.eos = defaults.eos;
  if (options.sampling.banned.empty()) options.sampling.banned = defaults.banned;
  if (options.forced_bos < 0) options.forced_bos = defaults.forced_bos;
  if (options.forced_eos < 0) options.forced_eos = defaults.forced_eos;
  return options;
}

}  // namespace

Result<Conversation> Conversation::create(const Model& model, const ConversationOptions& options) noexcept {
  LINNET_TRY(check_writes(model));
  LINNET_ASSIGN(ChatTemplate chat, ChatTemplate::create(model, options.template_name));
  LINNET_ASSIGN(Tokenizer tokenizer, Tokenizer::create(model));
  Limits limits;
  limits.context = options.context;
  limits.batch_tokens = options.batch_tokens;
  limits.threads = options.threads;
  limits.state = options.state;
  limits.isa = options.isa;
  limits.sequences = kSequences;
  if (options.generate.speculation.lookup || options.generate.speculation.draft) limits.outputs = options.generate.speculation.most + 1;
  LINNET_ASSIGN(Plan planned, plan(model, limits));
  LINNET_ASSIGN(Session session, Session::create(model, planned));
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a conversation");
  Conversation conversation(new (memory) Impl(model.share(), std::move(tokenizer), std::move(chat), std::move(session)));
  Impl& impl = *conversation.impl_;
  LINNET_ASSIGN(PromptCache cache, PromptCache::create(&impl.session));
  impl.cache.emplace(std::move(cache));
  LINNET_TRY(impl.tools.append(options.tools_json.data(), options.tools_json.size()));
  LINNET_TRY(impl.variables.append(options.variables_json.data(), options.variables_json.size()));
  impl.forget_oldest = options.forget_oldest;
  impl.generate = with_defaults(options.generate, model.generation());
  impl.generate.tokenizer = &impl.tokenizer;
  return conversation;
}

Conversation::Conversation(Conversation&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Conversation::~Conversation() {
  if (impl_) impl_->~Impl();
  core::release(impl_);
}

Status Conversation::add(std::string_view role, std::string_view content) noexcept {
  return tasks::add_message(&impl_->messages, role, content);
}

size_t Conversation::messages() const noexcept { return impl_->messages.size(); }

ChatMessage Conversation::message(size_t i) const noexcept { return {view(impl_->messages[i].role), view(impl_->messages[i].content)}; }

bool Conversation::remove_last() noexcept {
  if (impl_->messages.empty()) return false;
  impl_->messages.pop();
  return true;
}

void Conversation::clear() noexcept { impl_->messages.clear(); }
void Conversation::cancel() noexcept { impl_->session.cancel(); }
Session& Conversation::session() noexcept { return impl_->session; }
GenerateOptions& Conversation::generate_options() noexcept { return impl_->generate; }

size_t Conversation::Impl::system_messages() const noexcept {
  size_t count = 0;
  while (count < messages.size() && view(messages[count].role) == "system") ++count;
  return count;
}

Status Conversation::Impl::render(size_t forgotten, ChatText* text, Ids* ids) const noexcept {
  core::Array<ChatMessage> list;
  const size_t system = system_messages();
  for (size_t i = 0; i < messages.size(); ++i)
    if (i < system || i >= system + forgotten) LINNET_TRY(list.push({view(messages[i].role), view(messages[i].content)}));
  ChatRequest request;
  request.messages = {list.data(), list.size()};
  request.tools_json = view(tools);
  request.variables_json = view(variables);
  LINNET_TRY(chat.render(request, text));
  return ids ? tokenizer.encode_chat(text->text(), text->spans(), ids) : Status();
}

Status Conversation::preview(ChatText* text, Ids* ids) const noexcept {
  ChatText own;
  return impl_->render(0, text ? text : &own, ids);
}

namespace {

// Leaves messages out until prompt and answer fit; 0 where they fit or nothing may be forgotten.
Status fit(const Conversation::Impl& impl, ChatText* text, Ids* ids, uint32_t* forgotten) {
  const uint32_t context = impl.session.plan().limits().context;
  const size_t system = impl.system_messages(), all = impl.messages.size();
  for (*forgotten = 0;; *forgotten += 2) {
    ids->clear();
    LINNET_TRY(impl.render(*forgotten, text, ids));
    if (ids->size() + impl.generate.max_tokens <= context) return {};
    // The last question has to stay.
    if (!impl.forget_oldest || system + *forgotten + 2 >= all) break;
  }
  return Status::error(Code::context_full, "the conversation has %zu tokens and the answer up to %u; the context is %u", ids->size(),
                       impl.generate.max_tokens, context);
}

}  // namespace

Result<Reply> Conversation::reply() noexcept {
  Impl& impl = *impl_;
  Reply reply;
  ChatText text;
  Ids prompt;
  impl.generate.tokenizer = &impl.tokenizer;
  LINNET_TRY(fit(impl, &text, &prompt, &reply.forgotten));
  if (prompt.size() == 0) return Status::error(Code::invalid_argument, "the chat template wrote nothing for this conversation");
  const std::span<const int32_t> ids(prompt.data(), prompt.size());
  LINNET_ASSIGN(Generator generator, Generator::create(impl.session, impl.model, impl.generate));
  LINNET_ASSIGN(PromptCache::Start start, impl.cache->begin(ids));
  Result<uint32_t> added = generator.add({.prompt = ids.subspan(start.held), .sequence = start.sequence, .held = ids.first(start.held)});
  Status status = added.ok() ? generator.run() : std::move(added).status();

  // Whatever happened, the cache hears what the sequence holds now.
  impl.read.clear();
  Status kept = impl.read.append(ids.data(), ids.size());
  const std::span<const int32_t> written = generator.texts() ? generator.ids(0) : std::span<const int32_t>();
  if (kept.ok()) kept = impl.read.append(written.data(), written.size());
  impl.held = std::min<size_t>(impl.session.length(start.sequence), impl.read.size());
  if (!impl.cache->end(start.sequence, {impl.read.data(), impl.read.size()}).ok()) impl.held = 0;
  if (status.code() == Code::cancelled && !written.empty()) status = {};
  LINNET_TRY(std::move(status));
  LINNET_TRY(std::move(kept));
  LINNET_TRY(tasks::add_message(&impl.messages, "assistant", generator.text(0)));
  reply.text = view(impl.messages.back().content);
  reply.report = generator.report(0);
  if (!generator.ended(0)) reply.report.end = GenerateReport::End::stopped;
  reply.prompt_tokens = static_cast<uint32_t>(ids.size());
  reply.held = start.held;
  return reply;
}

}  // namespace linnet
