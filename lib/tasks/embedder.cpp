#include <new>

#include "core/memory.h"
#include "core/try.h"
#include "tasks/text_encoder.h"

namespace linnet {

struct Embedder::Impl {
  tasks::TextEncoder encoder;
};

Result<Embedder> Embedder::create(const Model& model, const TaskOptions& options) noexcept {
  constexpr std::string_view kRoles[] = {"embedding", "pooled"};
  LINNET_ASSIGN(tasks::TextEncoder encoder, tasks::TextEncoder::create(model, options, kRoles));
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
