// A model as text: everything that opening makes of a file, for comparing.
#pragma once

#include <cstdio>
#include <string>

#include "format/model_file.h"
#include "linnet/model.h"

namespace linnet::tests {

// What a model says of itself and holds, as one text.
inline std::string listing(const Model& model) {
  std::string text;
  char line[512];
  auto add = [&](const char* format, auto... arguments) {
    std::snprintf(line, sizeof line, format, arguments...);
    text += line;
  };
  add("family %s, task %s, %llu bytes of weights\n", std::string(model.family()).c_str(), std::string(model.task()).c_str(),
      static_cast<unsigned long long>(model.weight_bytes()));
  for (size_t i = 0; i < model.tensors(); ++i) {
    const TensorInfo t = model.tensor(i);
    add("tensor %s: %s %llu x %llu x %llu, %llu bytes\n", std::string(t.name).c_str(), std::string(t.encoding).c_str(),
        static_cast<unsigned long long>(t.count), static_cast<unsigned long long>(t.rows), static_cast<unsigned long long>(t.columns),
        static_cast<unsigned long long>(t.bytes));
    uint64_t sum = 0;
    const format::Tensor& stored = model.file().tensors()[i];
    for (uint64_t b = 0; b < stored.bytes; ++b) sum = sum * 31 + stored.data[b];
    add("  sum %016llx\n", static_cast<unsigned long long>(sum));
  }
  auto add_port = [&](const char* side, const PortInfo& port) {
    add("  %s %s: %s, %s x %u %s below %u\n", side, std::string(port.name).c_str(), std::string(port.role).c_str(),
        std::string(port.rows).c_str(), port.columns, std::string(port.type).c_str(), port.bound);
  };
  for (size_t i = 0; i < model.programs(); ++i) {
    const ProgramInfo p = model.program(i);
    add("program %s: %s, %u positions, %zu operations\n", std::string(p.name).c_str(), std::string(p.kind).c_str(), p.max_positions,
        p.operations);
    for (size_t j = 0; j < p.inputs; ++j) add_port("input", model.input(i, j));
    for (size_t j = 0; j < p.outputs; ++j) add_port("output", model.output(i, j));
  }
  for (const format::State& state : model.file().states())
    add("state %s: %s, %u heads of %u and %u, %s\n", std::string(state.name).c_str(), schema::EnumNameStateKind(state.kind), state.heads,
        state.key_width, state.value_width, schema::EnumNameStateEncoding(state.encoding));
  for (size_t i = 0; i < model.labels(); ++i) add("label %s\n", std::string(model.label(i)).c_str());
  for (size_t i = 0; i < model.metadata_count(); ++i)
    add("%s = %s\n", std::string(model.metadata_at(i).first).c_str(), std::string(model.metadata_at(i).second).c_str());
  const GenerationDefaults defaults = model.generation();
  add("bos %d, pad %d, %zu eos, %zu banned, temperature %d/1000\n", defaults.bos, defaults.pad, defaults.eos.size(), defaults.banned.size(),
      static_cast<int>(defaults.temperature * 1000));
  if (const schema::Tokenizer* tokenizer = model.file().root().tokenizer())
    add("tokenizer %s: %u pieces\n", schema::EnumNameTokenizerKind(tokenizer->kind()), tokenizer->piece_ends()->size());
  add("template %s\n", std::string(model.chat_template()).c_str());
  return text;
}

inline std::string listing(const Result<Model>& model) {
  return model.ok() ? listing(*model) : std::string("refused: ") + model.status().message();
}

}  // namespace linnet::tests
