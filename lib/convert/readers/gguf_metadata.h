// The key-value part of a GGUF file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace linnet::convert {

class GgufMetadata {
 public:
  // Integers of every width, and booleans, are int64 (u64 above 2^63 wraps); floats are double.
  using Value = std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

  bool has(const std::string& key) const { return values_.count(key) != 0; }
  const Value* find(const std::string& key) const;
  /// Typed access; the fallback where the key is absent. Throws Error naming the key where it holds another type.
  int64_t whole(const std::string& key, int64_t fallback) const;
  double number(const std::string& key, double fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  const std::vector<std::string>& texts(const std::string& key) const;  // empty when absent
  std::vector<double> numbers(const std::string& key) const;            // of either number type; empty when absent
  std::vector<int64_t> wholes(const std::string& key) const;

  std::map<std::string, Value>& values() { return values_; }
  const std::map<std::string, Value>& values() const { return values_; }

 private:
  std::map<std::string, Value> values_;
};

/// Of any GGUF file, vocabulary-only ones too. Throws Error naming the file and what is wrong.
std::unique_ptr<GgufMetadata> read_gguf_metadata(const std::string& path);

}  // namespace linnet::convert
