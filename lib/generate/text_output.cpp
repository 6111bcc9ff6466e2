#include "generate/text_output.h"

namespace linnet::generation {

Status TextOutput::start(const StopStrings& strings, std::span<const int32_t> prompt) noexcept {
  LINNET_TRY(matcher_.start(strings));
  return decoder_.skip(prompt);
}

Status TextOutput::put(int32_t id, bool* found) noexcept {
  decoded_.clear();
  LINNET_TRY(decoder_.put(id, &decoded_));
  return matcher_.put(view(decoded_), include_stop_, &text_, found);
}

Status TextOutput::finish(bool* found) noexcept {
  decoded_.clear();
  LINNET_TRY(decoder_.finish(&decoded_));
  LINNET_TRY(matcher_.put(view(decoded_), include_stop_, &text_, found));
  return *found ? Status() : matcher_.finish(&text_);
}

}  // namespace linnet::generation
