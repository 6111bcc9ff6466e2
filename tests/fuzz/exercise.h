// Reading everything of a model that opened. Whatever its file says, all of it must stay in bounds.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/model_file.h"
#include "linnet/model.h"

namespace linnet::tests {

/// Reads every name, number and weight that the public interface hands out; the sum keeps the reads alive.
inline uint64_t read_everything(const Model& model) {
  uint64_t sum = model.hash() + model.file_bytes();
  auto read = [&](std::string_view text) {
    for (char letter : text) sum = sum * 31 + static_cast<unsigned char>(letter);
  };
  read(model.family());
  read(model.task());
  read(model.chat_template());
  for (size_t i = 0; i < model.labels(); ++i) read(model.label(i));
  for (size_t i = 0; i < model.metadata_count(); ++i) read(model.metadata_at(i).first), read(model.metadata_at(i).second);
  for (size_t i = 0; i < model.prompts(); ++i) read(model.prompt(i).first), read(model.prompt(i).second);
  read(model.default_prompt());
  for (int32_t id : model.generation().eos) sum += static_cast<uint32_t>(id);
  for (size_t i = 0; i < model.tensors(); ++i) read(model.tensor(i).name), read(model.tensor(i).encoding);
  for (const format::Tensor& tensor : model.file().tensors())
    for (uint64_t b = 0; b < tensor.bytes; b += 64) sum += tensor.data[b] + tensor.data[tensor.bytes - 1];
  for (size_t i = 0; i < model.programs(); ++i) {
    const ProgramInfo program = model.program(i);
    read(program.name);
    for (size_t j = 0; j < program.inputs; ++j) read(model.input(i, j).name), read(model.input(i, j).role);
    for (size_t j = 0; j < program.outputs; ++j) read(model.output(i, j).name), read(model.output(i, j).type);
  }
  return sum;
}

}  // namespace linnet::tests
