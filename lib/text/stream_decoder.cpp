#include "core/memory.h"
#include "text/tokenizer_impl.h"

namespace linnet {

struct StreamDecoder::Impl {
  explicit Impl(const Tokenizer::Impl& tokenizer) noexcept : decoding(tokenizer.decoder) {}
  text::Decoding decoding;
  text::Bytes text;
};

namespace {

constexpr size_t kBatch = 256;  // tokens that pass the stages together

// An id without text of its own is no token: it does not count as a first one either.
Status add_token(const Tokenizer::Impl& impl, int32_t id, bool skip_special, text::Decoding* decoding) {
  const std::string_view token = impl.token(id);
  if (token.empty() || (skip_special && impl.is_special(id))) return {};
  return decoding->add(token);
}

}  // namespace

Status Tokenizer::decode(std::span<const int32_t> ids, bool skip_special, Text* text) const noexcept {
  text::Decoding decoding(impl_->decoder);
  text::Bytes decoded;
  for (int32_t id : ids) {
    LINNET_TRY(add_token(*impl_, id, skip_special, &decoding));
    if (decoding.waiting() == kBatch) LINNET_TRY(decoding.pass(false, &decoded));
  }
  LINNET_TRY(decoding.pass(true, &decoded));
  return text->append(decoded.data(), decoded.size());
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special) noexcept : tokenizer_(tokenizer), skip_special_(skip_special) {}

StreamDecoder::~StreamDecoder() {
  if (!impl_) return;
  impl_->~Impl();
  core::release(impl_);
}

Status StreamDecoder::decode(int32_t id) noexcept {
  if (!impl_) {
    void* memory = core::allocate(sizeof(Impl));
    if (!memory) return Status::error(Code::out_of_memory, "no memory for decoding a stream");
    impl_ = new (memory) Impl(tokenizer_.impl());
  }
  LINNET_TRY(add_token(tokenizer_.impl(), id, skip_special_, &impl_->decoding));
  impl_->text.clear();
  return impl_->decoding.pass(false, &impl_->text);
}

Status StreamDecoder::put(int32_t id, Text* text) noexcept {
  LINNET_TRY(decode(id));
  return text->append(impl_->text.data(), impl_->text.size());
}

Status StreamDecoder::skip(std::span<const int32_t> ids) noexcept {
  for (int32_t id : ids) LINNET_TRY(decode(id));
  return {};
}

Status StreamDecoder::finish(Text* text) noexcept {
  if (!impl_) return {};
  impl_->text.clear();
  LINNET_TRY(impl_->decoding.pass(true, &impl_->text));
  return text->append(impl_->text.data(), impl_->text.size());
}

}  // namespace linnet
