// Encoder-decoders: the sources that texts are written from, read before the first id of a text.
#include <algorithm>

#include "generate/writing.h"

namespace linnet {

using namespace generation;
using Stage = Writing::Stage;

bool Generator::Impl::has_room_for_source(const Writing& text) const noexcept {
  if (!program.reads_source()) return true;
  // Texts of one source stand side by side.
  uint32_t held = 0, last = UINT32_MAX;
  for (const Writing* other : texts) {
    if (other->stage != Stage::running || other->prompt_of == last) continue;
    if (other->prompt_of == text.prompt_of) return true;
    last = other->prompt_of;
    ++held;
  }
  return held < session.plan().limits().sources;
}

Status Generator::Impl::read_sources() noexcept {
  const Limits& limits = session.plan().limits();
  for (;;) {
    inputs.clear();
    size_t rows = 0;
    for (Writing* text : texts) {
      const core::Array<int32_t>& source = texts[text->prompt_of]->source;
      if (text->stage != Stage::running || text->encoded || inputs.size() == limits.sources) continue;
      if (rows + source.size() > limits.source_tokens) break;
      LINNET_TRY(inputs.push({.sequence = text->sequence, .tokens = {source.data(), source.size()}}));
      rows += source.size();
    }
    if (inputs.empty()) return {};
    LINNET_TRY(session.run(program.encode, {inputs.data(), inputs.size()}));
    for (Writing* text : texts)
      if (text->stage == Stage::running &&
          std::any_of(inputs.begin(), inputs.end(), [&](const Input& input) { return input.sequence == text->sequence; }))
        text->encoded = true;
  }
}

}  // namespace linnet
