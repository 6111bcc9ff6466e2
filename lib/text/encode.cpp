#include "text/tokenizer_impl.h"

namespace linnet {
namespace {

Status unsupported(const schema::Tokenizer& table) {
  return Status::error(Code::unsupported, "this build does not have tokenizers of kind %s", schema::EnumNameTokenizerKind(table.kind()));
}

}  // namespace

Status Tokenizer::encode(std::string_view, const EncodeOptions&, Ids*) const noexcept { return unsupported(*impl_->table); }
Status Tokenizer::encode_pair(std::string_view, std::string_view, const EncodeOptions&, Ids*, Ids*) const noexcept { return unsupported(*impl_->table); }
Status Tokenizer::decode(std::span<const int32_t>, bool, Text*) const noexcept { return unsupported(*impl_->table); }

}  // namespace linnet
