// Which positions a query sees. Readers that select blocks or single positions come with their own files.
#include "ops/attention_plan.h"

namespace linnet::ops {

using schema::Reader;
using schema::StateKind;

Visible Reach::of(size_t position) const {
  switch (reader) {
    case Reader::causal:
      return {0, position + 1};
    case Reader::window: {
      if (!both_sides) return {position + 1 > window ? position + 1 - window : 0, position + 1};
      return {position > window ? position - window : 0, std::min(keys, position + window + 1)};
    }
    default:
      return {0, keys};
  }
}

Status verify_reader(const VerifyContext& context) noexcept {
  const auto& options = context.node.as<schema::Attention>();
  const Reader reader = options.reader();
  if (reader > Reader::prefix)
    return Status::error(Code::unsupported, "Attention: reader %s is not part of this build",
                         reader <= Reader::MAX ? schema::EnumNameReader(reader) : "of a newer file");
  if (reader == Reader::window && options.window() == 0) return Status::error(Code::corrupt, "Attention: a window of 0 positions");
  if (options.both_sides() && reader != Reader::window)
    return Status::error(Code::corrupt, "Attention: both_sides with reader %s, expected window", schema::EnumNameReader(reader));
  if (options.state() < 0) {
    if (reader == Reader::prefix) return Status::error(Code::corrupt, "Attention: reader prefix needs a state");
    return {};
  }
  const State& state = context.states[static_cast<size_t>(options.state())];
  const int length = static_cast<int>(state.name.size());
  if (state.kind == StateKind::source) {
    if (reader == Reader::bidirectional) return {};
    return Status::error(Code::corrupt, "Attention: reader %s of source state \"%.*s\", expected bidirectional",
                         schema::EnumNameReader(reader), length, state.name.data());
  }
  // What a row of token state sees must not depend on where a prompt was cut.
  if (reader == Reader::bidirectional || options.both_sides())
    return Status::error(Code::corrupt,
                         "Attention: token state \"%.*s\" read in both directions, expected causal, a causal window or prefix", length,
                         state.name.data());
  if (state.window != 0 && (reader != Reader::window || options.window() > state.window))
    return Status::error(Code::corrupt, "Attention: state \"%.*s\" keeps %u positions, but the reader looks further back", length,
                         state.name.data(), state.window);
  return {};
}

}  // namespace linnet::ops
