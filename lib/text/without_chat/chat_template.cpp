// What a build without chat templates (LINNET_CHAT_TEMPLATES=OFF) has in place of text/chat/: the same names, and one answer.
#include <utility>

#include "linnet/chat.h"

namespace linnet {
namespace {

Status left_out() {
  return Status::error(Code::unsupported, "this build of the library has no chat templates (LINNET_CHAT_TEMPLATES=OFF)");
}

}  // namespace

Result<ChatTemplate> ChatTemplate::compile(std::string_view, std::span<const ChatToken>) noexcept { return left_out(); }
Result<ChatTemplate> ChatTemplate::create(const Model&, std::string_view) noexcept { return left_out(); }
ChatTemplate::ChatTemplate(ChatTemplate&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
ChatTemplate& ChatTemplate::operator=(ChatTemplate&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
ChatTemplate::~ChatTemplate() = default;
Status ChatTemplate::render(const ChatRequest&, ChatText* out) const noexcept {
  out->clear();
  return left_out();
}

}  // namespace linnet
