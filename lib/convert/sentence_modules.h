// What modules.json puts behind an encoder: pooling, dense layers, normalization (the sentence-transformers layout).
#pragma once

#include "convert/graph.h"

namespace linnet::convert {

/// Writes the modules behind `hidden` (tokens x hidden) and the output "sentence_embedding"; false where the folder has no modules.json.
/// Throws Error naming a module or a pooling mode that is not known.
bool sentence_modules(Graph& graph, Value hidden);

}  // namespace linnet::convert
