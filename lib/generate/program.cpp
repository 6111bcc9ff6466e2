#include "generate/program.h"

namespace linnet::generation {

Result<Autoregressive> find_autoregressive(const Model& model) noexcept {
  for (size_t i = 0; i < model.programs(); ++i) {
    const ProgramInfo program = model.program(i);
    if (program.kind != "autoregressive") continue;
    for (size_t o = 0; o < program.outputs; ++o) {
      const PortInfo port = model.output(i, o);
      if (port.role != "logits") continue;
      Autoregressive found{program.name, port.name, port.columns};
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

}  // namespace linnet::generation
