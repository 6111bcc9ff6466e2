#include "convert/readers/gguf_metadata.h"

#include <fmt/format.h>

#include "convert/readers/gguf_header.h"

namespace linnet::convert {
namespace {

[[noreturn]] void refuse(const std::string& key, const char* expected) {
  throw Error(fmt::format("GGUF key '{}' holds another type, expected {}", key, expected));
}

}  // namespace

const GgufMetadata::Value* GgufMetadata::find(const std::string& key) const {
  auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

int64_t GgufMetadata::whole(const std::string& key, int64_t fallback) const {
  const Value* value = find(key);
  if (!value) return fallback;
  const auto* whole = std::get_if<int64_t>(value);
  if (!whole) refuse(key, "a whole number");
  return *whole;
}

double GgufMetadata::number(const std::string& key, double fallback) const {
  const Value* value = find(key);
  if (!value) return fallback;
  if (const auto* whole = std::get_if<int64_t>(value)) return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(value);
  if (!number) refuse(key, "a number");
  return *number;
}

std::string GgufMetadata::text(const std::string& key, const std::string& fallback) const {
  const Value* value = find(key);
  if (!value) return fallback;
  const auto* text = std::get_if<std::string>(value);
  if (!text) refuse(key, "a string");
  return *text;
}

const std::vector<std::string>& GgufMetadata::texts(const std::string& key) const {
  static const std::vector<std::string> kNone;
  const Value* value = find(key);
  if (!value) return kNone;
  const auto* texts = std::get_if<std::vector<std::string>>(value);
  if (!texts) refuse(key, "a list of strings");
  return *texts;
}

std::vector<double> GgufMetadata::numbers(const std::string& key) const {
  const Value* value = find(key);
  if (!value) return {};
  if (const auto* wholes = std::get_if<std::vector<int64_t>>(value)) return {wholes->begin(), wholes->end()};
  const auto* numbers = std::get_if<std::vector<double>>(value);
  if (!numbers) refuse(key, "a list of numbers");
  return *numbers;
}

std::vector<int64_t> GgufMetadata::wholes(const std::string& key) const {
  const Value* value = find(key);
  if (!value) return {};
  const auto* wholes = std::get_if<std::vector<int64_t>>(value);
  if (!wholes) refuse(key, "a list of whole numbers");
  return *wholes;
}

std::unique_ptr<GgufMetadata> read_gguf_metadata(const std::string& path) {
  const InputFile file(path);
  GgufCursor cursor(file);
  auto metadata = std::make_unique<GgufMetadata>();
  read_gguf_pairs(cursor, metadata.get());
  return metadata;
}

}  // namespace linnet::convert
