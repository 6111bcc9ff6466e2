#include <new>

#include "core/memory.h"
#include "core/try.h"
#include "tasks/text_encoder.h"

namespace linnet {

struct Embedder::Impl {
  tasks::TextEncoder encoder;
};

namespace {

// The text that goes before all texts; "" = none.
Result<std::string_view> choose_prompt(const Model& model, const TaskOptions& options) {
  if (options.no_prompt) return std::string_view();
  const std::string_view name = options.prompt.empty() ? model.default_prompt() : options.prompt;
  for (size_t i = 0; i < model.prompts(); ++i)
    if (model.prompt(i).first == name) return model.prompt(i).second;
  if (name.empty()) return std::string_view();
  return Status::error(Code::not_found, "the model has no prompt '%.*s' among its %zu", static_cast<int>(name.size()), name.data(),
                       model.prompts());
}

}  // namespace

Result<Embedder> Embedder::create(const Model& model, const TaskOptions& options) noexcept {
  constexpr std::string_view kRoles[] = {"embedding", "pooled"};
  LINNET_ASSIGN(tasks::TextEncoder encoder, tasks::TextEncoder::create(model, options, kRoles));
  LINNET_ASSIGN(std::string_view prompt, choose_prompt(model, options));
  encoder.put_before(prompt);
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for an embedder");
  return Embedder(new (memory) Impl{std::move(encoder)});
}

Embedder::Embedder(Embedder&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Embedder::~Embedder() {
  if (impl_) impl_->~Impl();
  core::release(impl_);
}

size_t Embedder::width() const noexcept { return impl_->encoder.columns(); }
Session& Embedder::session() noexcept { return impl_->encoder.session(); }

Result<Matrix> Embedder::embed(std::span<const std::string_view> texts) noexcept { return impl_->encoder.run(texts, {}); }

}  // namespace linnet
