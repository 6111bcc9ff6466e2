#include <filesystem>

#include "command.h"
#include "convert/adapters/convert_adapter.h"

namespace linnet::tool {

LoadedAdapter::LoadedAdapter(const Model& model, const std::string& path) {
  if (path.empty()) return;
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    bytes_ = convert::adapter_in_memory(path, model.file());
    adapter_ = take(Adapter::open(model, bytes_.data(), bytes_.size()), path);
  } else {
    adapter_ = take(Adapter::open(model, path.c_str()));
  }
}

void LoadedAdapter::add_to(Limits* limits) const {
  if (!adapter_) return;
  limits->adapters = 1;
  limits->adapter_rank = adapter_->rank();
}

AdapterId LoadedAdapter::attach(Session& session) const { return adapter_ ? take(session.attach(*adapter_)) : kNoAdapter; }

}  // namespace linnet::tool
