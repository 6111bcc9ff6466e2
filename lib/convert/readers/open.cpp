#include "convert/readers/open.h"

#include <sys/stat.h>

#include "convert/readers/file.h"

namespace linnet::convert {

const SourceTensor& Checkpoint::tensor(const std::string& name) const {
  auto found = index_.find(name);
  if (found == index_.end()) throw Error(path_ + ": there is no tensor '" + name + "'");
  return tensors_[found->second];
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
    return open_folder(path);
  }
  if (!S_ISREG(entry.st_mode)) throw Error(path + ": is neither a file nor a folder");
  return open_gguf(path);
}

}  // namespace linnet::convert
