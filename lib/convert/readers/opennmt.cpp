// The file, little-endian: u32 version, then (from 2 on) the name of the model's kind and u32 its revision; u32 number of variables, each
//   name (u16 bytes with the closing zero, then these), u8 dimensions, u32 each,
//   version 2, 3:  u8 bytes of a number, u32 numbers      version 4 and later:  u8 type, u32 bytes
//   the numbers
// and (from 3 on) u32 aliases, each two names: one more name of a variable.
#include "convert/readers/opennmt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "convert/readers/file.h"
#include "convert/readers/open.h"
#include "core/half.h"

namespace linnet::convert {
namespace {

constexpr uint32_t kFirstVersion = 2, kLastVersion = 6;
constexpr uint32_t kVariables = 1000000, kDimensions = 8;

enum class Type : uint8_t { f32 = 0, int8 = 1, int16 = 2, int32 = 3, f16 = 4, bf16 = 5 };

uint64_t size_of(Type type) { return type == Type::f32 || type == Type::int32 ? 4 : type == Type::int8 ? 1 : 2; }

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// Walks the file; every read is checked against its end.
class Cursor {
 public:
  explicit Cursor(const InputFile& file) : file_(file) {}
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, file_.read(at_, sizeof value).data(), sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string name() {
    const uint16_t bytes = number<uint16_t>();
    const std::vector<uint8_t> text = file_.read(at_, bytes);
    at_ += bytes;
    if (bytes == 0 || text.back() != 0) throw Error(file_.path() + ": a name does not end with a zero byte");
    return {text.begin(), text.end() - 1};
  }
  uint64_t skip(uint64_t bytes) {
    if (bytes > file_.size() - at_) throw Error(file_.path() + ": the file is truncated");
    at_ += bytes;
    return at_ - bytes;
  }

 private:
  const InputFile& file_;
  uint64_t at_ = 0;
};

class OpenNmt final : public Checkpoint {
 public:
  explicit OpenNmt(const std::string& path) : file_(path) {
    path_ = folder_of(path);
    config_ = opennmt_config(path_);
    Cursor cursor(file_);
    const uint32_t version = cursor.number<uint32_t>();
    if (version < kFirstVersion || version > kLastVersion)
      throw Error(fmt::format("{}: version {} of this format is not read, expected {} to {}", path, version, kFirstVersion, kLastVersion));
    config_["spec"] = cursor.name();
    config_["revision"] = cursor.number<uint32_t>();
    const uint32_t count = cursor.number<uint32_t>();
    if (count > kVariables) throw Error(fmt::format("{}: {} variables, expected at most {}", path, count, kVariables));
    for (uint32_t i = 0; i < count; ++i) read_variable(cursor, version);
    if (version >= 3) read_aliases(cursor);
    list_tensors();
  }

  std::vector<float> read(const std::string& name) const override {
    const Variable& variable = variables_.at(tensor(name).name);
    std::vector<float> numbers = plain(variable);
    auto scale = variables_.find(name + "_scale");
    if (scale == variables_.end()) return numbers;
    // Stored numbers are the weights times a factor: one for each row, or one for all.
    const std::vector<float> factors = plain(scale->second);
    const size_t columns = factors.empty() ? 0 : numbers.size() / factors.size();
    if (columns == 0 || factors.size() * columns != numbers.size())
      throw Error(fmt::format("{}: variable '{}' has {} factors for {} numbers", file_.path(), name, factors.size(), numbers.size()));
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] /= factors[i / columns];
    return numbers;
  }
  std::unique_ptr<Checkpoint> subfolder(const std::string&) const override { return nullptr; }

 private:
  struct Variable {
    Type type = Type::f32;
    std::vector<uint64_t> shape;
    uint64_t offset = 0, bytes = 0;
  };

  void read_variable(Cursor& cursor, uint32_t version) {
    const std::string name = with_dots(cursor.name());
    Variable variable;
    const uint8_t dimensions = cursor.number<uint8_t>();
    if (dimensions > kDimensions) throw Error(fmt::format("{}: variable '{}' has {} dimensions", file_.path(), name, dimensions));
    uint64_t expected = 1;
    for (uint8_t i = 0; i < dimensions; ++i) {
      variable.shape.push_back(cursor.number<uint32_t>());
      if (__builtin_mul_overflow(expected, variable.shape.back(), &expected))
        throw Error(fmt::format("{}: the shape of variable '{}' overflows", file_.path(), name));
    }
    const uint8_t kind = cursor.number<uint8_t>();
    if (version < 4)
      variable.type = kind == 4 ? Type::f32 : kind == 2 ? Type::int16 : Type::int8;
    else
      variable.type = static_cast<Type>(kind);
    const bool known = version < 4 ? kind == 4 || kind == 2 || kind == 1 : kind <= static_cast<uint8_t>(Type::bf16);
    const uint64_t size = size_of(variable.type), stored = cursor.number<uint32_t>();
    variable.bytes = version < 4 ? stored * size : stored;
    if (!known || expected > UINT32_MAX || variable.bytes != expected * size)
      throw Error(
          fmt::format("{}: variable '{}' has type {} and {} bytes for {} numbers", file_.path(), name, kind, variable.bytes, expected));
    variable.offset = cursor.skip(variable.bytes);
    if (!variables_.emplace(name, variable).second) throw Error(fmt::format("{}: variable '{}' is there twice", file_.path(), name));
  }

  void read_aliases(Cursor& cursor) {
    const uint32_t count = cursor.number<uint32_t>();
    if (count > kVariables) throw Error(fmt::format("{}: {} aliases, expected at most {}", file_.path(), count, kVariables));
    for (uint32_t i = 0; i < count; ++i) {
      const std::string alias = with_dots(cursor.name()), name = with_dots(cursor.name());
      auto found = variables_.find(name);
      if (found == variables_.end()) throw Error(fmt::format("{}: '{}' stands for '{}', which is not there", file_.path(), alias, name));
      if (!variables_.emplace(alias, Variable(found->second)).second)
        throw Error(fmt::format("{}: variable '{}' is there twice", file_.path(), alias));
    }
  }

  static std::string with_dots(std::string name) {
    for (char& letter : name)
      if (letter == '/') letter = '.';
    return name;
  }

  // A scale belongs to the variable beside it.
  void list_tensors() {
    for (const auto& [name, variable] : variables_) {
      const std::string end = "_scale";
      const bool is_scale = name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0 &&
                            variables_.count(name.substr(0, name.size() - end.size())) != 0;
      if (is_scale) continue;
      static constexpr const char* kNames[] = {"F32", "int8", "int16", "I32", "F16", "BF16"};
      index_[name] = tensors_.size();
      tensors_.push_back({name, kNames[static_cast<size_t>(variable.type)], variable.shape});
    }
  }

  template <class T, class Convert>
  std::vector<float> convert_all(const Variable& variable, Convert convert) const {
    const std::vector<uint8_t> bytes = file_.read(variable.offset, variable.bytes);
    std::vector<float> numbers(bytes.size() / sizeof(T));
    for (size_t i = 0; i < numbers.size(); ++i) {
      T value;
      std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
      numbers[i] = convert(value);
    }
    return numbers;
  }

  std::vector<float> plain(const Variable& variable) const {
    const auto cast = [](auto value) { return static_cast<float>(value); };
    switch (variable.type) {
      case Type::f32:
        return convert_all<float>(variable, cast);
      case Type::int8:
        return convert_all<int8_t>(variable, cast);
      case Type::int16:
        return convert_all<int16_t>(variable, cast);
      case Type::int32:
        return convert_all<int32_t>(variable, cast);
      case Type::f16:
        return convert_all<uint16_t>(variable, core::float_from_half);
      default:
        return convert_all<uint16_t>(variable, core::float_from_bfloat16);
    }
  }

  InputFile file_;
  std::map<std::string, Variable> variables_;
};

std::string vocabulary_file(const std::string& folder, const std::string& side) {
  const std::string own = folder + "/" + side + "_vocabulary.txt", shared = folder + "/shared_vocabulary.txt";
  return file_exists(own) ? own : file_exists(shared) ? shared : "";
}

}  // namespace

bool is_opennmt_file(const std::string& path) {
  const InputFile file(path);
  if (file.size() < 8) return false;
  const std::vector<uint8_t> begin = file.read(0, 8);
  uint32_t version;
  uint16_t name;
  std::memcpy(&version, begin.data(), sizeof version);
  std::memcpy(&name, begin.data() + 4, sizeof name);
  return version >= kFirstVersion && version <= kLastVersion && name > 1 && name < 256 && begin[6] >= 'A' && begin[6] <= 'z';
}

bool is_opennmt_folder(const std::string& path) {
  if (vocabulary_file(path, "target").empty()) return false;
  if (file_exists(path + "/model.bin") && is_opennmt_file(path + "/model.bin")) return true;
  return !file_exists(path + "/config.json") && file_exists(path + "/model.safetensors");
}

std::unique_ptr<Checkpoint> open_opennmt(const std::string& path) { return std::make_unique<OpenNmt>(path); }

std::vector<std::string> opennmt_words(const std::string& folder, const std::string& side) {
  const std::string path = vocabulary_file(folder, side);
  std::vector<std::string> words;
  if (path.empty()) return words;
  std::istringstream lines(read_text(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    words.push_back(line);
  }
  // Lists need not name it; the tables have a row for it, the last.
  if (std::find(words.begin(), words.end(), "<unk>") == words.end()) words.push_back("<unk>");
  return words;
}

Json opennmt_config(const std::string& folder) {
  Json config = {{"model_type", "opennmt"}};
  const std::vector<std::string> words = opennmt_words(folder, "target");
  for (size_t i = 0; i < words.size(); ++i) {
    const int64_t id = static_cast<int64_t>(i);
    if (words[i] == "<s>") config["bos_token_id"] = config["decoder_start_token_id"] = id;
    if (words[i] == "</s>") config["eos_token_id"] = id;
    if (words[i] == "<blank>") config["pad_token_id"] = id;
  }
  return config;
}

}  // namespace linnet::convert
