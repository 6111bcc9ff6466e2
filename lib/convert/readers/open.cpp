#include "convert/readers/open.h"

#include <sys/stat.h>

#include "convert/readers/file.h"
#include "convert/readers/opennmt.h"

namespace linnet::convert {

const SourceTensor& Checkpoint::tensor(const std::string& name) const {
  auto found = index_.find(name);
  if (found == index_.end()) throw Error(path_ + ": there is no tensor '" + name + "'");
  return tensors_[found->second];
}

std::vector<float> Checkpoint::read_rows(const std::string& name, uint64_t first, uint64_t count) const {
  const std::vector<float> all = read(name);
  const std::vector<uint64_t>& shape = tensor(name).shape;
  const uint64_t rows = shape.empty() ? 1 : shape[0];
  if (first > rows || count > rows - first)
    throw Error("tensor '" + name + "' has " + std::to_string(rows) + " rows, expected " + std::to_string(first + count));
  const uint64_t width = rows == 0 ? 0 : all.size() / rows;
  const auto from = all.begin() + static_cast<ptrdiff_t>(first * width);
  return {from, from + static_cast<ptrdiff_t>(count * width)};
}

Json Checkpoint::file(const std::string& relative) const {
  std::string path = path_ + "/" + relative;
  if (is_gguf_ || !stays_below(relative) || !file_exists(path)) return nullptr;
  return parse_json(read_text(path), path);
}

std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path) {
  struct stat entry;
  if (stat(path.c_str(), &entry) != 0) throw Error(path + ": there is no such file or folder");
  if (S_ISDIR(entry.st_mode)) {
    // A folder that only wraps one GGUF file is as good as the file.
    if (!file_exists(path + "/config.json") && file_exists(path + "/model.gguf")) return open_gguf(path + "/model.gguf");
    if (is_opennmt_folder(path) && file_exists(path + "/model.bin")) return open_opennmt(path + "/model.bin");
    return open_folder(path);
  }
  if (!S_ISREG(entry.st_mode)) throw Error(path + ": is neither a file nor a folder");
  return is_opennmt_file(path) ? open_opennmt(path) : open_gguf(path);
}

}  // namespace linnet::convert
