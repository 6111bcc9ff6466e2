// The config.json that a GGUF file's keys amount to, one architecture an entry.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "convert/checkpoint.h"
#include "convert/readers/gguf_metadata.h"
#include "convert/readers/gguf_names.h"

namespace linnet::convert {

/// The keys under "<architecture>.", typed, and what the file holds besides.
class GgufKeys {
 public:
  GgufKeys(const GgufMetadata& metadata, std::string architecture, std::vector<std::string> tensors);
  const GgufMetadata& metadata() const { return metadata_; }
  bool has(const std::string& key) const { return metadata_.has(full(key)); }
  bool has_tensor(const std::string& name) const;
  /// 1 to 2^31 - 1; a list that says the same for every layer counts as one number. Throws Error naming the key.
  uint32_t count(const std::string& key) const;
  uint32_t count(const std::string& key, uint32_t fallback) const;
  double number(const std::string& key) const;
  double number(const std::string& key, double fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const { return metadata_.text(full(key), fallback); }
  int64_t whole(const std::string& key, int64_t fallback) const { return metadata_.whole(full(key), fallback); }
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;
  std::string full(const std::string& key) const { return architecture_ + "." + key; }

 private:
  const GgufMetadata& metadata_;
  std::string architecture_;
  std::vector<std::string> tensors_;
};

/// Rules for tensors' names; the first that fits counts.
struct GgufNames {
  std::span<const GgufName> rules;
  const char* only_with = nullptr;  // in files that have this tensor
};

struct GgufArchitecture {
  const char* name;  // general.architecture
  std::vector<GgufNames> names;
  bool paired;  // q and k rows are permuted
  void (*configure)(const GgufKeys& keys, const GgufHeads& heads, Json* config);
};

/// Those that write text (gguf_decoders.cpp).
std::span<const GgufArchitecture> gguf_decoders();
/// Those of them whose MLPs are experts (gguf_mixtures.cpp).
std::span<const GgufArchitecture> gguf_mixtures();
/// Throws Error naming an architecture that is not read.
const GgufArchitecture& gguf_architecture(const std::string& name);
GgufHeads gguf_heads(const GgufKeys& keys, const GgufArchitecture& architecture);
/// What config.json would say; tensors' values (rope_factors_long) are not in it.
Json gguf_config(const GgufKeys& keys, const GgufHeads& heads, const GgufArchitecture& architecture);
/// modules.json and 1_Pooling/config.json, as pooling_type says; null for all other names and where nothing is pooled.
Json gguf_pooling_file(const GgufKeys& keys, const std::string& relative);

}  // namespace linnet::convert
