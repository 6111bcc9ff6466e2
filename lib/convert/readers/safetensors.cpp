#include "convert/readers/safetensors.h"

#include <algorithm>
#include <cstring>

#include "core/half.h"

namespace linnet::convert {
namespace {

constexpr uint64_t kMaxHeader = 100u << 20;

uint64_t element_bytes(const std::string& type) {
  if (type == "F64" || type == "I64" || type == "U64") return 8;
  if (type == "F32" || type == "I32" || type == "U32") return 4;
  if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 2;
  if (type == "I8" || type == "U8" || type == "BOOL" || type == "F8_E4M3" || type == "F8_E5M2") return 1;
  return 0;
}

template <class T, class Convert>
std::vector<float> convert_all(const std::vector<uint8_t>& bytes, Convert convert) {
  std::vector<float> out(bytes.size() / sizeof(T));
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = convert(value);
  }
  return out;
}

template <class T>
std::vector<float> cast_all(const std::vector<uint8_t>& bytes) {
  return convert_all<T>(bytes, [](T value) { return static_cast<float>(value); });
}

uint64_t product(const std::vector<uint64_t>& shape, const std::string& what) {
  uint64_t count = 1;
  for (uint64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) throw Error(what + ": its shape overflows");
  return count;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  if (file_.size() < 8) throw Error(path + ": is too short for a safetensors file");
  uint64_t header;
  std::memcpy(&header, file_.read(0, 8).data(), sizeof header);
  if (header > kMaxHeader || header > file_.size() - 8)
    throw Error(path + ": its header of " + std::to_string(header) + " bytes is not there: truncated, or not safetensors");
  std::vector<uint8_t> text = file_.read(8, header);
  Json json = parse_json({text.begin(), text.end()}, path + ": header");
  if (!json.is_object()) throw Error(path + ": its header is not a JSON object");
  for (const auto& [name, entry] : json.items())
    if (name != "__metadata__") add(name, entry, 8 + header);

  refuse_overlaps();
}

void SafetensorsFile::refuse_overlaps() const {
  std::vector<const std::pair<const std::string, Entry>*> order;
  for (const auto& item : entries_) order.push_back(&item);
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) {
    return a->second.offset < b->second.offset || (a->second.offset == b->second.offset && a->second.bytes < b->second.bytes);
  });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->second.offset + order[i - 1]->second.bytes > order[i]->second.offset)
      throw Error(path() + ": tensors '" + order[i - 1]->first + "' and '" + order[i]->first + "' overlap");
}

void SafetensorsFile::add(const std::string& name, const Json& entry, uint64_t data_begin) {
  std::string what = file_.path() + ": tensor '" + name + "'";
  try {
    Entry tensor;
    tensor.type = entry.at("dtype").get<std::string>();
    if (!entry.at("shape").is_array()) throw Error(what + ": its shape is not a list");
    for (const Json& extent : entry.at("shape")) {
      if (!extent.is_number_unsigned()) throw Error(what + ": its shape is not made of whole numbers");
      tensor.shape.push_back(extent.get<uint64_t>());
    }
    const Json& offsets = entry.at("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
      throw Error(what + ": data_offsets are not two whole numbers");
    uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
    uint64_t element = element_bytes(tensor.type), bytes = 0;
    if (element == 0) throw Error(what + ": has type " + tensor.type + ", which is not read");
    if (__builtin_mul_overflow(product(tensor.shape, what), element, &bytes)) throw Error(what + ": its shape overflows");
    if (begin > end || end - begin != bytes)
      throw Error(what + ": its data_offsets " + std::to_string(begin) + " to " + std::to_string(end) + " do not hold the " +
                  std::to_string(bytes) + " bytes of its shape");
    if (end > file_.size() - data_begin)
      throw Error(what + ": ends at byte " + std::to_string(end) + " of " + std::to_string(file_.size() - data_begin) +
                  ": the file is truncated");
    tensor.offset = data_begin + begin;
    tensor.bytes = bytes;
    entries_[name] = tensor;
  } catch (const Json::exception& error) {
    throw Error(what + ": its entry is malformed: " + error.what());
  }
}

std::vector<float> SafetensorsFile::read(const std::string& name) const {
  const Entry& entry = entries_.at(name);
  return read_bytes(name, entry.offset, entry.bytes);
}

std::vector<float> SafetensorsFile::read_rows(const std::string& name, uint64_t first, uint64_t count) const {
  const Entry& entry = entries_.at(name);
  if (entry.shape.empty() || first > entry.shape[0] || count > entry.shape[0] - first)
    throw Error(file_.path() + ": tensor '" + name + "' does not have rows " + std::to_string(first) + " to " +
                std::to_string(first + count));
  if (count == 0) return {};
  const uint64_t row = entry.bytes / entry.shape[0];
  return read_bytes(name, entry.offset + first * row, count * row);
}

std::vector<float> SafetensorsFile::read_bytes(const std::string& name, uint64_t offset, uint64_t count) const {
  const std::vector<uint8_t> bytes = file_.read(offset, count);
  const std::string& type = entries_.at(name).type;
  if (type == "F32") return cast_all<float>(bytes);
  if (type == "F16") return convert_all<uint16_t>(bytes, core::float_from_half);
  if (type == "BF16") return convert_all<uint16_t>(bytes, core::float_from_bfloat16);
  if (type == "F64") return cast_all<double>(bytes);
  if (type == "I64") return cast_all<int64_t>(bytes);
  if (type == "U64") return cast_all<uint64_t>(bytes);
  if (type == "I32") return cast_all<int32_t>(bytes);
  if (type == "U32") return cast_all<uint32_t>(bytes);
  if (type == "I16") return cast_all<int16_t>(bytes);
  if (type == "U16") return cast_all<uint16_t>(bytes);
  if (type == "I8") return cast_all<int8_t>(bytes);
  if (type == "U8" || type == "BOOL") return cast_all<uint8_t>(bytes);
  throw Error(file_.path() + ": tensor '" + name + "' has type " + type + ", which is not read");
}

}  // namespace linnet::convert
