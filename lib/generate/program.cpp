#include "generate/program.h"

namespace linnet::generation {

namespace {

void find_source(const Model& model, Autoregressive* found) {
  for (size_t i = 0; i < model.programs(); ++i)
    if (model.program(i).kind == "encode") {
      found->encode = model.program(i).name;
      for (size_t n = 0; n < model.program(i).inputs; ++n)
        if (model.input(i, n).role == "source_ids") found->source_bound = model.input(i, n).bound;
    }
  const int32_t start = model.generation().decoder_start;
  if (start >= 0 && static_cast<size_t>(start) < found->vocabulary) found->start = start;
}

}  // namespace

Result<Autoregressive> find_autoregressive(const Model& model) noexcept {
  for (size_t i = 0; i < model.programs(); ++i) {
    const ProgramInfo program = model.program(i);
    if (program.kind != "autoregressive" && program.kind != "decode") continue;
    for (size_t o = 0; o < program.outputs; ++o) {
      const PortInfo port = model.output(i, o);
      if (port.role != "logits") continue;
      Autoregressive found{.program = program.name, .logits = port.name, .vocabulary = port.columns};
      if (program.kind == "decode") find_source(model, &found);
      for (size_t n = 0; n < program.inputs; ++n) {
        const PortInfo input = model.input(i, n);
        found.depends_on_length |= input.role == "lengths";
        if (input.role == "token_ids") found.bound = input.bound;
      }
      return found;
    }
  }
  return Status::error(Code::unsupported, "the model writes no text: it has no autoregressive program with logits");
}

Result<std::span<const int32_t>> decoder_prompt(const Autoregressive& program, std::span<const int32_t> prompt, bool has_source) noexcept {
  if (has_source && !program.reads_source())
    return Status::error(Code::invalid_argument, "the model writes without a source, and one was given");
  if (!has_source && program.reads_source())
    return Status::error(Code::invalid_argument, "the model writes from a source, and none was given");
  if (!prompt.empty()) return prompt;
  if (!program.reads_source()) return Status::error(Code::invalid_argument, "the prompt has no tokens");
  if (program.start < 0)
    return Status::error(Code::invalid_argument, "the prompt has no tokens, and the file does not say what a text begins with");
  return std::span<const int32_t>(&program.start, 1);
}

}  // namespace linnet::generation
