// What the converter throws.
#pragma once

#include <stdexcept>

namespace linnet::convert {

/// Input that cannot be converted: one sentence for a person. The tool prints it and exits with 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace linnet::convert
