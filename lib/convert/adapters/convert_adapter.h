// The converter's door for adapters: a PEFT folder beside a base that was converted goes in, a .linnet adapter comes out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convert/error.h"
#include "format/model_file.h"

namespace linnet::convert {

struct AdapterReport {
  size_t targets = 0;
  uint32_t rank = 0;  // the largest
  uint64_t file_bytes = 0;
};

/// Throws Error: what lora.md's rules refuse, in one sentence. Nothing is left behind at `output` when it fails.
AdapterReport convert_adapter(const std::string& folder, const format::ModelFile& base, const std::string& output);
/// The same file in memory.
std::vector<uint8_t> adapter_in_memory(const std::string& folder, const format::ModelFile& base);

}  // namespace linnet::convert
