#include "tensor_file.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "command.h"
#include "core/half.h"
#include "core/platform.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

size_t width(const std::string& type) {
  if (type == "F64" || type == "I64") return 8;
  if (type == "F32" || type == "I32") return 4;
  if (type == "F16" || type == "BF16") return 2;
  if (type == "U8" || type == "I8" || type == "BOOL") return 1;
  throw Failure("type " + type + " is not read; use F32, F16, BF16, F64, I64, I32, U8, I8 or BOOL");
}

int32_t narrow(int64_t value) {
  if (value < INT32_MIN || value > INT32_MAX) throw Failure("the integer " + std::to_string(value) + " does not fit 32 bits");
  return static_cast<int32_t>(value);
}

void decode(const std::string& type, const char* bytes, size_t count, HostTensor* tensor) {
  size_t size = width(type);
  tensor->is_index = type[0] == 'I' || type[0] == 'U' || type == "BOOL";
  for (size_t i = 0; i < count; ++i) {
    const char* at = bytes + i * size;
    if (type == "F32") tensor->numbers.push_back(load<float>(at));
    if (type == "F64") tensor->numbers.push_back(static_cast<float>(load<double>(at)));
    if (type == "F16") tensor->numbers.push_back(core::float_from_half(load<uint16_t>(at)));
    if (type == "BF16") tensor->numbers.push_back(core::float_from_bfloat16(load<uint16_t>(at)));
    if (type == "I64") tensor->indices.push_back(narrow(load<int64_t>(at)));
    if (type == "I32") tensor->indices.push_back(load<int32_t>(at));
    if (type == "U8" || type == "BOOL") tensor->indices.push_back(load<uint8_t>(at));
    if (type == "I8") tensor->indices.push_back(load<int8_t>(at));
  }
}

HostTensor read_entry(const Json& entry, const std::string& data) {
  HostTensor tensor;
  tensor.shape = entry.at("shape").get<std::vector<uint64_t>>();
  std::string type = entry.at("dtype").get<std::string>();
  uint64_t begin = entry.at("data_offsets").at(0).get<uint64_t>(), end = entry.at("data_offsets").at(1).get<uint64_t>();
  uint64_t count = 1;
  for (uint64_t extent : tensor.shape)
    if (__builtin_mul_overflow(count, extent, &count)) throw Failure("its shape overflows");
  if (begin > end || end > data.size() || count > data.size() || end - begin != count * width(type))
    throw Failure("its shape and its bytes do not agree");
  decode(type, data.data() + begin, count, &tensor);
  return tensor;
}

}  // namespace

TensorFile read_tensor_file(const std::string& path) {
  std::string all = read_file(path);
  if (all.size() < 8) throw Failure(path + ": too short for a safetensors file");
  uint64_t header = load<uint64_t>(all.data());
  if (header > all.size() - 8) throw Failure(path + ": truncated, or not a safetensors file");
  Json json = Json::parse(all.begin() + 8, all.begin() + 8 + static_cast<ptrdiff_t>(header), nullptr, false);
  if (!json.is_object()) throw Failure(path + ": its header is not JSON");
  std::string data = all.substr(8 + header);
  TensorFile tensors;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") continue;
    try {
      tensors[name] = read_entry(entry, data);
    } catch (const std::exception& error) {
      throw Failure(path + ": tensor '" + name + "': " + error.what());
    }
  }
  return tensors;
}

void write_tensor_file(const std::string& path, const TensorFile& tensors) {
  Json json = Json::object();
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    uint64_t bytes = tensor.numbers.size() * sizeof(float);
    json[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string header = json.dump();
  header.append((8 - header.size() % 8) % 8, ' ');
  uint64_t length = header.size();
  core::AtomicFile file = take(core::AtomicFile::create(path.c_str()));
  check(file.write(&length, sizeof length));
  check(file.write(header.data(), header.size()));
  for (const auto& [name, tensor] : tensors) check(file.write(tensor.numbers.data(), tensor.numbers.size() * sizeof(float)));
  check(file.commit());
}

}  // namespace linnet::tool
