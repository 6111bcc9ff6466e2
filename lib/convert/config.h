// A checkpoint's configuration as pages read it: typed, with defaults, and with errors that name the key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convert/checkpoint.h"
#include "linnet_generated.h"

namespace linnet::convert {

/// One JSON object. A key whose value is null counts as absent, as in the reference.
class Config {
 public:
  /// `where` names the object in errors: "config.json", "config.json: rope_scaling".
  explicit Config(const Json& json, std::string where = "config.json");
  /// A checkpoint's own: its config.json, or what the metadata of a GGUF file amount to.
  explicit Config(const Checkpoint& checkpoint);

  bool has(const std::string& key) const;
  const Json& json() const { return json_; }

  /// A whole number from 1 to 2^31 - 1. Throws Error when it is absent or something else.
  uint32_t count(const std::string& key) const;
  uint32_t count(const std::string& key, uint32_t fallback) const;
  /// A whole number of any sign that fits 32 bits.
  int32_t whole(const std::string& key, int32_t fallback) const;
  /// A number that is finite in 32 bits.
  double number(const std::string& key) const;
  double number(const std::string& key, double fallback) const;
  bool flag(const std::string& key, bool fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::vector<std::string> texts(const std::string& key) const;  // empty when absent
  std::vector<float> numbers(const std::string& key) const;      // empty when absent
  /// The object under a key; an empty one when absent.
  Config object(const std::string& key) const;

  /// Refuses, by name, a key whose value this library does not compute: anything but absent, null and `only`.
  void require(const std::string& key, const Json& only, const std::string& why) const;
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

 private:
  const Json* find(const std::string& key) const;
  Json json_;
  std::string where_;
};

/// What a norm adds to a variance: not negative in 32 bits.
float epsilon(const Config& config, const std::string& key, double fallback);
/// The function behind a name such as hidden_act's "gelu_new". Throws Error naming one that is unknown.
schema::Function activation(const std::string& name);
/// The labels of a classifier with `count` outputs: id2label by number, LABEL_0, LABEL_1, ... where it is absent.
std::vector<std::string> labels(const Config& config, uint32_t count);

}  // namespace linnet::convert
