// A Hugging Face folder: config.json and one or several safetensors files.
#include <dirent.h>

#include <set>

#include "convert/readers/mxfp4.h"
#include "convert/readers/open.h"
#include "convert/readers/opennmt.h"
#include "convert/readers/safetensors.h"

namespace linnet::convert {
namespace {

class Folder final : public Checkpoint {
 public:
  explicit Folder(const std::string& path) {
    path_ = path;
    config_ = is_opennmt_folder(path_) ? opennmt_config(path_) : required("config.json");
    refuse_foreign_quantization();
    if (file_exists(path_ + "/generation_config.json")) generation_config_ = required("generation_config.json");
    for (const std::string& name : weight_files()) add(name);
    check_index();
    if (quantized_by() == "mxfp4") join_blocks();
    if (tensors_.empty()) throw Error(path_ + ": its safetensors files hold no tensors");
  }
  std::vector<float> read(const std::string& name) const override {
    tensor(name);
    const auto blocks = blocks_.find(name);
    if (blocks == blocks_.end()) return file_with(name).read(name);
    const auto& [of_blocks, of_scales] = blocks->second;
    return decode_mxfp4(name, file_with(of_blocks).read(of_blocks), file_with(of_scales).read(of_scales));
  }
  std::vector<float> read_rows(const std::string& name, uint64_t first, uint64_t count) const override {
    tensor(name);
    const auto blocks = blocks_.find(name);
    if (blocks == blocks_.end()) return file_with(name).read_rows(name, first, count);
    const auto& [of_blocks, of_scales] = blocks->second;
    return decode_mxfp4(name, file_with(of_blocks).read_rows(of_blocks, first, count),
                        file_with(of_scales).read_rows(of_scales, first, count));
  }
  std::unique_ptr<Checkpoint> subfolder(const std::string& relative) const override {
    if (!stays_below(relative)) return nullptr;
    std::string path = path_ + "/" + relative;
    return file_exists(path + "/config.json") ? std::make_unique<Folder>(path) : nullptr;
  }

 private:
  const SafetensorsFile& file_with(const std::string& name) const { return *files_[file_of_.at(name)]; }
  Json required(const std::string& name) const { return parse_json(read_text(path_ + "/" + name), path_ + "/" + name); }

  // "" = its weights are plain numbers.
  std::string quantized_by() const {
    auto found = config_.find("quantization_config");
    if (found == config_.end() || found->is_null()) return "";
    if (found->is_object() && found->contains("quant_method") && (*found)["quant_method"].is_string()) return (*found)["quant_method"];
    return "unknown";
  }

  void refuse_foreign_quantization() const {
    if (!config_.is_object()) throw Error(path_ + "/config.json: is not a JSON object");
    const std::string method = quantized_by();
    if (method.empty() || method == "mxfp4") return;
    throw Error(path_ + ": its weights were quantized by '" + method + "', which is not read; convert the model's original weights");
  }

  std::vector<std::string> weight_files() {
    if (file_exists(path_ + "/model.safetensors")) return {"model.safetensors"};
    if (file_exists(path_ + "/model.safetensors.index.json")) return shards(required("model.safetensors.index.json"));
    std::vector<std::string> found = files_ending_in(".safetensors");
    if (found.size() == 1) return found;
    if (found.size() > 1)
      throw Error(path_ + ": several .safetensors files but neither model.safetensors nor model.safetensors.index.json");
    if (!files_ending_in(".bin").empty()) throw Error(path_ + ": holds .bin weights, which are not read; save the model as safetensors");
    throw Error(path_ + ": there is no model.safetensors");
  }

  std::vector<std::string> shards(const Json& index) {
    std::set<std::string> names;
    if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
      throw Error(path_ + "/model.safetensors.index.json: has no weight_map");
    for (const auto& [tensor, file] : index["weight_map"].items()) {
      if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos)
        throw Error(path_ + "/model.safetensors.index.json: tensor '" + tensor + "' is not in a file of this folder");
      names.insert(file.get<std::string>());
      shard_of_[tensor] = file.get<std::string>();
    }
    return {names.begin(), names.end()};
  }

  // What the index promises must be in the file that it names.
  void check_index() const {
    for (const auto& [tensor, file] : shard_of_) {
      auto found = file_of_.find(tensor);
      if (found == file_of_.end() || files_[found->second]->path() != path_ + "/" + file)
        throw Error(path_ + "/model.safetensors.index.json: tensor '" + tensor + "' is not in " + file);
    }
  }

  std::vector<std::string> files_ending_in(const std::string& ending) const {
    std::vector<std::string> found;
    DIR* folder = opendir(path_.c_str());
    if (!folder) return found;
    while (const dirent* entry = readdir(folder)) {
      std::string name = entry->d_name;
      if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0) found.push_back(name);
    }
    closedir(folder);
    return found;
  }

  void add(const std::string& name) {
    files_.push_back(std::make_unique<SafetensorsFile>(path_ + "/" + name));
    for (const auto& [tensor, entry] : files_.back()->entries()) {
      if (!index_.emplace(tensor, tensors_.size()).second) throw Error(path_ + ": tensor '" + tensor + "' is in two files");
      file_of_[tensor] = files_.size() - 1;
      tensors_.push_back({tensor, entry.type, entry.shape});
    }
  }

  void join_blocks() {
    blocks_ = join_mxfp4(&tensors_);
    index_.clear();
    for (size_t i = 0; i < tensors_.size(); ++i)
      if (!index_.emplace(tensors_[i].name, i).second)
        throw Error(path_ + ": tensor '" + tensors_[i].name + "' is there as numbers and in blocks");
  }

  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Mxfp4Tensor> blocks_;
  std::map<std::string, size_t> file_of_;
  std::map<std::string, std::string> shard_of_;  // as the index says
};

}  // namespace

std::unique_ptr<Checkpoint> open_folder(const std::string& path) { return std::make_unique<Folder>(path); }

}  // namespace linnet::convert
