#include "convert/adapters/convert_adapter.h"

#include <cstring>
#include <memory>
#include <set>

#include "convert/adapters/adapter_draft.h"
#include "convert/readers/file.h"
#include "convert/writer.h"
#include "core/checked.h"
#include "core/platform.h"
#include "format/adapter_file.h"
#include "format/header.h"

namespace linnet::convert {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

std::string last_component(const std::string& path) {
  const std::string trimmed = path.substr(0, path.find_last_not_of('/') + 1);
  return trimmed.substr(trimmed.rfind('/') + 1);
}

SafetensorsFile open_tensors(const std::string& folder) {
  const std::string path = folder + "/adapter_model.safetensors";
  if (!file_exists(path) && file_exists(folder + "/adapter_model.bin"))
    throw Error(folder + ": holds adapter_model.bin, a pickle, which is not read; save the adapter as safetensors");
  if (!file_exists(path)) throw Error(folder + ": there is no adapter_model.safetensors");
  return SafetensorsFile(path);
}

AdapterDraft read_adapter(const SafetensorsFile& file, const AdapterConfig& config, const BasePlaces& base) {
  AdapterDraft draft(file, config, base);
  for (const auto& [path, module] : adapted_modules(file, config.lora_bias())) draft.add(path, module);
  draft.finish();
  return draft;
}

struct Place {
  uint64_t offset, checksum;
};

Offset<schema::Model> write_tables(FlatBufferBuilder& builder, const AdapterDraft& draft, const BasePlaces& base,
                                   const std::vector<Place>& places, const std::string& name) {
  std::vector<Offset<schema::Tensor>> tensors;
  std::set<std::string> needed = {"file:adapter"};
  for (size_t i = 0; i < places.size(); ++i) {
    const DraftTensor& tensor = draft.tensors()[i];
    needed.insert(std::string("encoding:") + schema::EnumNameEncoding(tensor.packed.encoding));
    tensors.push_back(schema::CreateTensorDirect(builder, tensor.name.c_str(), tensor.packed.encoding, tensor.rows, tensor.columns, 1, 0,
                                                 places[i].offset, tensor.packed.bytes.size(), places[i].checksum));
  }
  std::vector<Offset<schema::Target>> targets;
  for (const DraftTarget& target : draft.targets())
    targets.push_back(schema::CreateTargetDirect(builder, target.base.c_str(), target.base_rows, target.base_columns, target.kind,
                                                 target.use, target.first_row, target.rows, target.a, target.b, target.bias));
  const auto adapter = schema::CreateAdapterDirect(builder, base.file().hash(), base.name().c_str(), &targets);
  std::vector<Offset<flatbuffers::String>> required;
  for (const std::string& requirement : needed) required.push_back(builder.CreateString(requirement));
  const std::vector<Offset<schema::KeyValue>> metadata = {schema::CreateKeyValueDirect(builder, "source", name.c_str())};
  const std::vector<Offset<schema::Program>> programs;
  return schema::CreateModelDirect(builder, &required, "adapter", schema::Task::none, &tensors, nullptr, &programs, 0, nullptr, nullptr, 0,
                                   &metadata, adapter);
}

struct Source {
  explicit Source(const std::string& folder)
      : config(Config(parse_json(read_text(folder + "/adapter_config.json"), folder + "/adapter_config.json"),
                      folder + "/adapter_config.json")),
        file(open_tensors(folder)) {}
  AdapterConfig config;
  SafetensorsFile file;
};

std::vector<uint8_t> make_adapter(const std::string& folder, const format::ModelFile& base) {
  const BasePlaces places(base);
  const Source source(folder);
  const AdapterDraft draft = read_adapter(source.file, source.config, places);
  std::vector<uint8_t> weights;
  std::vector<Place> stored;
  for (const DraftTensor& tensor : draft.tensors()) {
    weights.resize(core::round_up(weights.size(), format::kTensorAlignment));
    stored.push_back({weights.size(), format::checksum(tensor.packed.bytes.data(), tensor.packed.bytes.size())});
    weights.insert(weights.end(), tensor.packed.bytes.begin(), tensor.packed.bytes.end());
  }
  FlatBufferBuilder builder;
  builder.Finish(write_tables(builder, draft, places, stored, last_component(folder)));
  const format::Header header = make_header(builder.GetBufferPointer(), builder.GetSize(), weights.size());
  std::vector<uint8_t> file(header.file_bytes);
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + header.metadata_offset, builder.GetBufferPointer(), builder.GetSize());
  if (!weights.empty()) std::memcpy(file.data() + header.weight_offset, weights.data(), weights.size());
  return file;
}

}  // namespace

std::vector<uint8_t> adapter_in_memory(const std::string& folder, const format::ModelFile& base) {
  try {
    return make_adapter(folder, base);
  } catch (const std::exception&) {
    throw_about(folder);
  }
}

AdapterReport convert_adapter(const std::string& folder, const format::ModelFile& base, const std::string& output) {
  const std::vector<uint8_t> bytes = adapter_in_memory(folder, base);
  // Nothing is written that could not be opened again.
  Result<format::AdapterFile*> opened = format::AdapterFile::open(bytes.data(), bytes.size(), {});
  check(opened.status());
  const std::unique_ptr<format::AdapterFile, void (*)(format::AdapterFile*)> adapter(*opened,
                                                                                     [](format::AdapterFile* file) { file->release(); });
  check(adapter->bind(base));
  auto file = core::AtomicFile::create(output.c_str());
  check(file.status());
  check(file->write(bytes.data(), bytes.size()));
  check(file->commit());
  return {adapter->targets().size(), adapter->rank(), bytes.size()};
}

}  // namespace linnet::convert
