// The converter's front door: a checkpoint goes in, a .linnet file comes out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "convert/error.h"

namespace linnet::convert {

struct Options {
  std::string weights = "int8";  // f32 | f16 | int8 | int4 | mxfp4
  std::string head;              // encoding of output head and embedding; "" = what `weights` means for them
  bool simulate = false;         // store quantized values as f32
  bool turn = true;              // turn `down`'s input (int8, int4)
  bool fold = true;              // column folds
  bool chat_template = true;     // keep the chat templates; one that the runtime would refuse is an error
  bool trace = false;            // further outputs for comparing with a reference: embedding_output
  /// Tensor name pattern (* matches anything), encoding; of several that match, the last counts.
  std::vector<std::pair<std::string, std::string>> overrides;
  std::function<bool(const std::string& what, size_t done, size_t total)> progress;  // may be empty; false stops
  std::function<bool()> interrupted;  // may be empty; asked between pieces of work, the last ones included; true stops
};

struct TensorReport {
  std::string name, encoding;
  uint64_t rows, columns, count, bytes;
  double damage;  // squared error over squared weights
};

struct Report {
  std::string family, task;
  std::vector<TensorReport> tensors;
  uint64_t file_bytes = 0;
  std::vector<std::string> notes;  // what was left out or changed, one sentence each
};

/// Throws Error that begins with `source`, or with the path of the file in that folder. Nothing is left behind at `output` when it fails.
Report convert(const std::string& source, const std::string& output, const Options& options);

struct Family {
  std::string name;
  std::vector<std::string> model_types;  // config.json's model_type
  std::string description;               // one line: heads, options
};
/// All families, sorted; the source of `linnet convert --list` and of the documents' tables.
std::vector<Family> families();

}  // namespace linnet::convert
