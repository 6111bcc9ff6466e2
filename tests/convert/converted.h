// A checkpoint through the whole converter and the runtime, beside the oracle's tensors.
#pragma once

#include "convert/oracle.h"
#include "format/model_file.h"
#include "runtime/small_models.h"

namespace linnet::oracle {

inline Model converted(const convert::FakeCheckpoint& checkpoint, const convert::Options& options) {
  convert::CheckpointFolder folder("converted");
  folder.write(checkpoint);
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  return tests::must(Model::open(folder.path("out.linnet").c_str(), {.verify_checksums = true}));
}

inline convert::Options weights(const std::string& encoding, bool simulate = false) {
  convert::Options options;
  options.weights = encoding;
  options.simulate = simulate;
  return options;
}

inline Tensors tensors_of(const convert::FakeCheckpoint& checkpoint) {
  Tensors all;
  for (const convert::SourceTensor& tensor : checkpoint.tensors()) all[tensor.name] = checkpoint.read(tensor.name);
  return all;
}

/// The tensors of a file that holds f32 alone, each half of "{gate_proj,up_proj}" under its own name.
inline Tensors tensors_of(const Model& model) {
  Tensors all;
  for (const format::Tensor& tensor : model.file().tensors()) {
    REQUIRE(tensor.encoding == schema::Encoding::f32);
    std::vector<float> values(tensor.bytes / sizeof(float));
    std::memcpy(values.data(), tensor.data, tensor.bytes);
    const std::string name(tensor.name), both = "{gate_proj,up_proj}";
    const size_t at = name.find(both);
    if (at == std::string::npos) {
      all[name] = values;
      continue;
    }
    const auto middle = values.begin() + static_cast<long>(values.size() / 2);
    all[std::string(name).replace(at, both.size(), "gate_proj")] = {values.begin(), middle};
    all[std::string(name).replace(at, both.size(), "up_proj")] = {middle, values.end()};
  }
  return all;
}

/// Logits of all tokens in one run, keys and values kept as f32.
inline std::vector<float> run_decoder(const Model& model, const std::vector<int32_t>& ids) {
  const uint32_t count = static_cast<uint32_t>(ids.size());
  Session session =
      tests::opened(model, {.context = count, .batch_tokens = count, .outputs = count, .threads = 1, .state = StateEncoding::f32});
  const Input input{.sequence = tests::must(session.add()), .tokens = ids};
  tests::must(session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  return tests::output(session);
}

}  // namespace linnet::oracle
