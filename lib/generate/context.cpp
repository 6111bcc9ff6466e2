// Contexts that fill: what is refused, what ends, and what makes room.
#include <algorithm>

#include "generate/writing.h"

namespace linnet {

using namespace generation;

Status Generator::Impl::check_room(const Writing& text) const noexcept {
  const uint64_t context = session.plan().limits().context;
  const uint64_t before = text.before + text.held;
  if (before + text.prompt > context)
    return Status::error(Code::context_full, "%zu tokens after %llu positions do not fit the planned context of %llu", text.prompt,
                         static_cast<unsigned long long>(before), static_cast<unsigned long long>(context));
  if (options.context_policy == ContextPolicy::slide && options.keep >= context - 1)
    return Status::error(Code::invalid_argument, "keep is %u; a context of %llu must have room for two more", options.keep,
                         static_cast<unsigned long long>(context));
  // The last id is drawn and need not be read.
  const uint64_t wanted = before + text.prompt + (options.max_tokens ? options.max_tokens - 1 : 0);
  if (options.context_policy == ContextPolicy::refuse && wanted > context)
    return Status::error(Code::context_full,
                         "%zu prompt tokens and %u new ones after %llu positions need a context of %llu; planned are %llu", text.prompt,
                         options.max_tokens, static_cast<unsigned long long>(before), static_cast<unsigned long long>(wanted),
                         static_cast<unsigned long long>(context));
  return {};
}

Status Generator::Impl::make_room(Writing* text) noexcept {
  if (options.context_policy != ContextPolicy::slide) return end(text, GenerateReport::End::context_full);
  const uint32_t length = session.length(text->sequence), keep = options.keep;
  const size_t rest = (session.plan().limits().context - keep) / 2;
  // What is kept stays in the sequence where it is, unless a window no longer holds what it sees: then it is read again too.
  const bool kept = session.rewind(text->sequence, length - keep).ok();
  if (!kept) LINNET_TRY(session.rewind(text->sequence, length));
  core::Array<int32_t>& context = text->context;
  std::copy(context.end() - static_cast<ptrdiff_t>(rest), context.end(), context.begin() + keep);
  while (context.size() > keep + rest) context.pop();
  text->read = kept ? keep : 0;
  text->slid = true;
  return {};
}

}  // namespace linnet
