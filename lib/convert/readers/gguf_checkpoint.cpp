// A GGUF file, or a file in parts, seen as a Hugging Face checkpoint.
#include <fmt/format.h>

#include <algorithm>

#include "convert/readers/gguf.h"
#include "convert/readers/gguf_config.h"
#include "convert/readers/gguf_names.h"
#include "convert/readers/open.h"
#include "core/checked.h"

namespace linnet::convert {
namespace {

constexpr int64_t kMaxParts = 99999;  // five digits in the names

std::string part_ending(int64_t part, int64_t parts) { return fmt::format("-{:05}-of-{:05}.gguf", part, parts); }

class GgufCheckpoint final : public Checkpoint {
 public:
  explicit GgufCheckpoint(const std::string& path) {
    path_ = path;
    is_gguf_ = true;
    open_parts();
    architecture_ = &gguf_architecture(metadata().text("general.architecture", "(none)"));
    std::vector<std::string> names;
    for (const auto& part : parts_)
      for (const GgufFile::Tensor& tensor : part->tensors()) names.push_back(tensor.name);
    if (names.empty()) throw Error(path_ + ": holds no tensors: a vocabulary alone is not a model");
    keys_ = std::make_unique<GgufKeys>(metadata(), architecture_->name, std::move(names));
    const GgufHeads heads = gguf_heads(*keys_, *architecture_);
    std::vector<GgufName> rules;
    for (const GgufNames& group : architecture_->names)
      if (!group.only_with || keys_->has_tensor(group.only_with)) rules.insert(rules.end(), group.rules.begin(), group.rules.end());
    for (const auto& part : parts_)
      for (const GgufFile::Tensor& tensor : part->tensors()) add(*part, tensor, rules, heads);
    config_ = gguf_config(*keys_, heads, *architecture_);
    add_longrope_factors();
  }

  const GgufMetadata* gguf() const override { return &metadata(); }

  std::vector<float> read(const std::string& name) const override { return rows(sources_[index_of(name)], 0, UINT64_MAX); }

  std::vector<float> read_rows(const std::string& name, uint64_t first, uint64_t count) const override {
    const Source& source = sources_[index_of(name)];
    // Only of matrices and vectors are these the file's own rows.
    if (source.tensor->shape.size() > 2) return Checkpoint::read_rows(name, first, count);
    if (first > source.part.rows || count > source.part.rows - first)
      throw Error(fmt::format("tensor '{}' has {} rows, expected {}", name, source.part.rows, first + count));
    const uint64_t heads = source.part.paired_heads;
    if (heads == 0 || count == 0) return rows(source, first, count);
    // Rows are put back in order head by head.
    const uint64_t head = source.part.rows / heads, begin = first / head * head, end = core::round_up(first + count, head);
    const std::vector<float> all = rows(source, begin, end - begin);
    const size_t width = all.size() / (end - begin);
    const auto from = all.begin() + static_cast<ptrdiff_t>((first - begin) * width);
    return {from, from + static_cast<ptrdiff_t>(count * width)};
  }

  Json file(const std::string& relative) const override { return gguf_pooling_file(*keys_, relative); }
  std::unique_ptr<Checkpoint> subfolder(const std::string&) const override { return nullptr; }

 private:
  struct Source {
    const GgufFile* file;
    const GgufFile::Tensor* tensor;
    GgufPart part;
  };

  // The first part alone has the model's keys.
  const GgufMetadata& metadata() const { return parts_[0]->metadata(); }

  // Rows of the part from `first` on, at most `count`; whole heads where they must be put back in order.
  static std::vector<float> rows(const Source& source, uint64_t first, uint64_t count) {
    const GgufFile::Tensor& tensor = *source.tensor;
    const GgufPart& part = source.part;
    const bool is_vector = tensor.shape.size() == 1;
    count = std::min(count, part.rows - first);
    std::vector<float> values;
    if (is_vector) {
      const std::vector<float> all = source.file->read_rows(tensor, 0, 1);
      const auto from = all.begin() + static_cast<ptrdiff_t>(part.first + first);
      values.assign(from, from + static_cast<ptrdiff_t>(count));
    } else {
      values = source.file->read_rows(tensor, part.first + first, count);
    }
    if (part.paired_heads == 0) return values;
    const auto heads = static_cast<uint32_t>(count / (part.rows / part.paired_heads));
    return halves_from_pairs(values, count, is_vector ? 1 : tensor.shape.back(), heads);
  }

  size_t index_of(const std::string& name) const {
    tensor(name);
    return index_.at(name);
  }

  void open_parts() {
    parts_.push_back(std::make_unique<GgufFile>(path_));
    const int64_t count = metadata().whole("split.count", 1), number = metadata().whole("split.no", 0);
    if (count < 0 || count > kMaxParts) throw Error(fmt::format("{}: split.count is {}, expected 1 to {}", path_, count, kMaxParts));
    if (count <= 1) return;
    if (number != 0) throw Error(fmt::format("{}: is part {} of {}, expected the first", path_, number + 1, count));
    const std::string ending = part_ending(1, count);
    if (path_.size() < ending.size() || path_.compare(path_.size() - ending.size(), ending.size(), ending) != 0)
      throw Error(fmt::format("{}: is one of {} parts, so its name was expected to end in {}", path_, count, ending));
    const std::string stem = path_.substr(0, path_.size() - ending.size());
    for (int64_t i = 1; i < count; ++i) {
      parts_.push_back(std::make_unique<GgufFile>(stem + part_ending(i + 1, count)));
      const GgufFile& part = *parts_.back();
      if (part.metadata().whole("split.no", -1) != i || part.metadata().whole("split.count", -1) != count)
        throw Error(fmt::format("{}: its split.no and split.count do not say part {} of {}", part.path(), i + 1, count));
    }
    check_total();
  }

  void check_total() const {
    size_t total = 0;
    for (const auto& part : parts_) total += part->tensors().size();
    const int64_t expected = metadata().whole("split.tensors.count", static_cast<int64_t>(total));
    if (expected != static_cast<int64_t>(total))
      throw Error(fmt::format("{}: its parts hold {} tensors, split.tensors.count says {}", path_, total, expected));
  }

  void add(const GgufFile& file, const GgufFile::Tensor& tensor, const std::vector<GgufName>& rules, const GgufHeads& heads) {
    for (GgufPart& part : parts_of(file, tensor, rules, heads)) {
      if (!index_.emplace(part.name, tensors_.size()).second)
        throw Error(fmt::format("{}: tensor '{}' gives {}, which another tensor gave", file.path(), tensor.name, part.name));
      std::string type = tensor.type->name;
      // Plain types are spelt as safetensors spells them.
      if (tensor.type->values == 1)
        std::transform(type.begin(), type.end(), type.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
      tensors_.push_back({part.name, type, part.shape});
      sources_.push_back({&file, &tensor, std::move(part)});
    }
  }

  static std::vector<GgufPart> parts_of(const GgufFile& file, const GgufFile::Tensor& tensor, const std::vector<GgufName>& rules,
                                        const GgufHeads& heads) {
    try {
      return gguf_parts(tensor, rules, heads);
    } catch (const Error& error) {
      throw Error(file.path() + ": " + error.what());
    }
  }

  // config.json keeps as lists what these files keep as tensors.
  void add_longrope_factors() {
    if (!config_.contains("rope_scaling") || config_["rope_scaling"]["rope_type"] != "longrope") return;
    for (const char* length : {"short", "long"}) {
      const std::vector<float> factors = read(fmt::format("rope_factors_{}.weight", length));
      config_["rope_scaling"][fmt::format("{}_factor", length)] = factors;
    }
  }

  std::vector<std::unique_ptr<GgufFile>> parts_;
  const GgufArchitecture* architecture_ = nullptr;
  std::unique_ptr<GgufKeys> keys_;
  std::vector<Source> sources_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_gguf(const std::string& path) {
  try {
    return std::make_unique<GgufCheckpoint>(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    // Of a file in parts, the message may name another part.
    if (message.find(".gguf: ") != std::string::npos || message.find(path) == 0) throw;
    throw Error(path + ": " + message);
  }
}

}  // namespace linnet::convert
