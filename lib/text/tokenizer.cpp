#include "linnet/tokenizer.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "core/memory.h"
#include "core/try.h"
#include "format/parse.h"
#include "text/tokenizer_impl.h"

namespace linnet {
namespace {

void destroy(Tokenizer::Impl* impl) {
  if (!impl) return;
  format::ModelFile* file = impl->file;
  uint8_t* owned = impl->owned;
  impl->~Impl();
  core::release(impl);
  if (file) file->release();
  core::release(owned);
}

Result<Tokenizer> create_from(const schema::Tokenizer& table, format::ModelFile* file, uint8_t* owned) {
  void* memory = core::allocate(sizeof(Tokenizer::Impl));
  if (!memory) {
    core::release(owned);
    return Status::error(Code::out_of_memory, "no memory for a tokenizer");
  }
  auto* impl = new (memory) Tokenizer::Impl();
  impl->file = file;
  impl->owned = owned;
  impl->table = &table;
  if (file) file->retain();
  Tokenizer tokenizer(impl);
  LINNET_TRY(impl->vocabulary.create(table));
  LINNET_TRY(impl->normalizer.create(table.normalizer()));
  LINNET_TRY(text::read_pre_tokenizer(table.pre_tokenizer(), &impl->pre_tokenizer));
  LINNET_TRY(text::read_decoder(table.decoder(), &impl->decoder));
  LINNET_TRY(text::read_model(table, impl->vocabulary, &impl->model));
  LINNET_TRY(impl->added.create(table, impl->normalizer));
  return tokenizer;
}

}  // namespace

Result<Tokenizer> Tokenizer::create_target(const Model& model) noexcept {
  const schema::Tokenizer* table = model.file().root().target_tokenizer();
  if (!table || table->kind() == schema::TokenizerKind::none) return create(model);
  return create_from(*table, const_cast<format::ModelFile*>(&model.file()), nullptr);
}

Result<Tokenizer> Tokenizer::create(const Model& model) noexcept {
  const schema::Tokenizer* table = model.file().root().tokenizer();
  if (!table || table->kind() == schema::TokenizerKind::none) return Status::error(Code::not_found, "the model has no tokenizer");
  return create_from(*table, const_cast<format::ModelFile*>(&model.file()), nullptr);
}

Tokenizer::Tokenizer(Tokenizer&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Tokenizer& Tokenizer::operator=(Tokenizer&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

Tokenizer::~Tokenizer() { destroy(impl_); }

std::string_view Tokenizer::Impl::token(int32_t id) const noexcept {
  if (const schema::AddedToken* token = added.find(id)) return {token->content()->c_str(), token->content()->size()};
  return vocabulary.piece(id);
}

bool Tokenizer::Impl::is_special(int32_t id) const noexcept {
  if (const schema::AddedToken* token = added.find(id); token && token->special()) return true;
  return id >= 0 && static_cast<size_t>(id) < vocabulary.size() && vocabulary.type(id) == text::PieceType::control;
}

size_t Tokenizer::vocabulary() const noexcept { return std::max(impl_->vocabulary.size(), impl_->added.ids()); }

std::string_view Tokenizer::piece(int32_t id) const noexcept { return impl_->token(id); }

int32_t Tokenizer::id(std::string_view piece) const noexcept {
  const int32_t added = impl_->added.id(piece);
  return added >= 0 ? added : impl_->vocabulary.find(piece);
}

bool Tokenizer::is_special(int32_t id) const noexcept { return impl_->is_special(id); }

namespace text {

Result<Tokenizer> create_tokenizer(const uint8_t* bytes, size_t length) noexcept {
  auto* copy = static_cast<uint8_t*>(core::allocate(length));
  if (!copy) return Status::error(Code::out_of_memory, "no memory for the %zu bytes of a tokenizer", length);
  std::memcpy(copy, bytes, length);
  const auto& model = *flatbuffers::GetRoot<schema::Model>(copy);
  if (Status checked = format::check_tokenizer(model); !checked.ok()) {
    core::release(copy);
    return checked;
  }
  return create_from(*model.tokenizer(), nullptr, copy);
}

}  // namespace text
}  // namespace linnet
