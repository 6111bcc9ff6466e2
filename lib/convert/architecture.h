// One model family: one page in lib/convert/architectures, named like its file and defining the constant of that name. The list of pages is
// made from the folder when the build is configured; nothing else names a page.
#pragma once

#include <string>
#include <vector>

#include "convert/config.h"
#include "convert/graph.h"

namespace linnet::convert {

struct Architecture {
  const char* family;                    // as `linnet convert --list` shows it
  const char* description;               // one line: heads, options
  std::vector<std::string> model_types;  // config.json's model_type
  /// Writes the programs. Throws Error for every configuration that it would run wrongly.
  void (*write)(const Config& config, Graph& graph);
  /// For a family that is told from another one of the same model_type by its tensors; asked before any model_type. May be null.
  bool (*recognises)(const Checkpoint& checkpoint) = nullptr;
};

/// All pages, sorted by family.
const std::vector<const Architecture*>& architectures();
/// The page for a checkpoint, out of `pages`. Throws Error naming the model_type that nobody knows.
const Architecture& choose_architecture(const Checkpoint& checkpoint, const std::vector<const Architecture*>& pages);

}  // namespace linnet::convert
