// The program that writes text: found by its kind and roles, never by a model's name.
#pragma once

#include <string_view>

#include "linnet/model.h"

namespace linnet::generation {

struct Autoregressive {
  std::string_view program, logits;  // names
  size_t vocabulary = 0;
  uint32_t bound = 0;              // ids that it reads are below
  bool depends_on_length = false;  // rotary frequencies that change with the text's length
};

/// Errors: unsupported (none has logits).
Result<Autoregressive> find_autoregressive(const Model& model) noexcept;

}  // namespace linnet::generation
