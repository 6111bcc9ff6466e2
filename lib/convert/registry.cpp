#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "convert/architecture.h"

namespace linnet::convert {

namespace pages {
#define LINNET_ARCHITECTURE(page) extern const Architecture page;
#include "architectures.inc"
#undef LINNET_ARCHITECTURE
}  // namespace pages

const std::vector<const Architecture*>& architectures() {
  static const std::vector<const Architecture*> kPages = [] {
    std::vector<const Architecture*> all = {
#define LINNET_ARCHITECTURE(page) &pages::page,
#include "architectures.inc"
#undef LINNET_ARCHITECTURE
    };
    std::sort(all.begin(), all.end(), [](const Architecture* a, const Architecture* b) { return std::strcmp(a->family, b->family) < 0; });
    return all;
  }();
  return kPages;
}

const Architecture& choose_architecture(const Checkpoint& checkpoint, const std::vector<const Architecture*>& pages) {
  for (const Architecture* page : pages)
    if (page->recognises && page->recognises(checkpoint)) return *page;
  std::string type = Config(checkpoint).text("model_type", "");
  for (const Architecture* page : pages)
    if (!page->recognises && std::find(page->model_types.begin(), page->model_types.end(), type) != page->model_types.end()) return *page;
  if (type.empty()) throw Error(fmt::format("{}: config.json names no model_type", checkpoint.path()));
  throw Error(
      fmt::format("{}: the model_type \"{}\" is not supported (linnet convert --list names those that are)", checkpoint.path(), type));
}

}  // namespace linnet::convert
