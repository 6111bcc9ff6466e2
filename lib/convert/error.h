// What the converter throws.
#pragma once

#include <stdexcept>
#include <string>

#include "linnet/status.h"

namespace linnet::convert {

/// Input that cannot be converted: one sentence for a person. The tool prints it and exits with 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void check(const Status& status) {
  if (!status.ok()) throw Error(status.message());
}

/// Inside a handler: throws what is being handled as an Error that begins with `source`, or with what lies in that folder.
[[noreturn]] void throw_about(const std::string& source);

}  // namespace linnet::convert
