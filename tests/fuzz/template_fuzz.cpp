// A chat template out of whatever comes, and a request out of what stands behind its first zero byte: the template must be refused or
// compiled, the request refused or rendered within the limits, and the spans must cover the text.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/limits.h"
#include "linnet/chat.h"

using namespace linnet;

namespace {

void check_error(const Status& status) {
  if (std::strlen(status.message()) == 0) std::abort();
}

void check_spans(const ChatText& text) {
  size_t end = 0;
  for (const TextSpan& span : text.spans()) {
    if (span.begin != end || span.end <= span.begin) std::abort();
    end = span.end;
  }
  if (end != text.text().size() || end > core::limits::kTemplateOutput) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size), source = all.substr(0, all.find('\0'));
  const std::string_view json = source.size() < all.size() ? all.substr(source.size() + 1) : std::string_view();
  const ChatToken tokens[] = {{"bos_token", "<s>"}};
  const Result<ChatTemplate> chat = ChatTemplate::compile(source, tokens);
  if (!chat.ok()) {
    check_error(chat.status());
    return 0;
  }
  const DateTime time{2025, 1, 15, 12, 0, 0};
  ChatRequest request;
  request.time = &time;
  request.messages_json = R"([{"role": "user", "content": "a <s> é"}, {"role": "assistant", "content": null}])";
  request.variables_json = json;
  ChatText text;
  const Status rendered = chat->render(request, &text);
  if (!rendered.ok()) check_error(rendered);
  check_spans(text);
  return 0;
}
