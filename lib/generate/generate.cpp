#include "linnet/generate.h"

#include "core/try.h"
#include "linnet/constraint.h"

namespace linnet {

TokenFilter keep_to(Constraint& constraint) noexcept {
  return {[](void* user, uint32_t budget, std::span<uint64_t> bits) { return static_cast<Constraint*>(user)->allowed(budget, bits); },
          [](void* user, int32_t id) { return static_cast<Constraint*>(user)->accept(id); }, &constraint,
          [](void* user) { return static_cast<Constraint*>(user)->finished(); }};
}

Result<GenerateReport> generate(Session& session, const Model& model, SequenceId sequence, std::span<const int32_t> prompt,
                                const GenerateOptions& options, Ids* ids, Text* text) noexcept {
  LINNET_ASSIGN(Generator generator, Generator::create(session, model, options));
  const uint32_t before = session.length(sequence);
  LINNET_ASSIGN([[maybe_unused]] const uint32_t first, generator.add({.prompt = prompt, .sequence = sequence}));
  Status status = generator.run();
  const std::span<const int32_t> written = generator.ids(0);
  const bool read = session.length(sequence) >= before + prompt.size();
  // A window may have left behind what was there before; then the sequence keeps what it has read.
  if (!status.ok() && !read) (void)session.rewind(sequence, session.length(sequence) - before);
  LINNET_TRY(ids->append(written.data(), written.size()));
  if (text) LINNET_TRY(text->append(generator.text(0).data(), generator.text(0).size()));
  LINNET_TRY(std::move(status));
  return generator.report(0);
}

}  // namespace linnet
