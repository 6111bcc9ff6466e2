#include "convert/config.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

namespace linnet::convert {

namespace {

// Still so when narrowed.
bool is_finite(double number) { return std::fabs(number) <= std::numeric_limits<float>::max(); }

}  // namespace

Config::Config(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
  if (json_.is_null()) json_ = Json::object();
  if (!json_.is_object()) throw Error(fmt::format("{} is not an object", where_));
}

Config::Config(const Checkpoint& checkpoint) : Config(checkpoint.config(), checkpoint.is_gguf() ? "metadata" : "config.json") {}

const Json* Config::find(const std::string& key) const {
  auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

bool Config::has(const std::string& key) const { return find(key) != nullptr; }

void Config::refuse(const std::string& key, const std::string& expected) const {
  const Json* value = find(key);
  if (!value) throw Error(fmt::format("{}: {} is missing, expected {}", where_, key, expected));
  throw Error(fmt::format("{}: {} is {}, expected {}", where_, key,
                          value->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80), expected));
}

double Config::number(const std::string& key) const {
  const Json* value = find(key);
  if (!value || !value->is_number() || !is_finite(value->get<double>())) refuse(key, "a finite number of 32 bits");
  return value->get<double>();
}

double Config::number(const std::string& key, double fallback) const { return has(key) ? number(key) : fallback; }

uint32_t Config::count(const std::string& key) const {
  const char* expected = "a whole number from 1 to 2147483647";
  const Json* value = find(key);
  if (!value || !value->is_number()) refuse(key, expected);
  double number = value->get<double>();
  if (!(number >= 1 && number <= std::numeric_limits<int32_t>::max()) || number != std::floor(number)) refuse(key, expected);
  return static_cast<uint32_t>(number);
}

uint32_t Config::count(const std::string& key, uint32_t fallback) const { return has(key) ? count(key) : fallback; }

int32_t Config::whole(const std::string& key, int32_t fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(std::fabs(number) <= std::numeric_limits<int32_t>::max()) || number != std::floor(number)) refuse(key, "a whole number of 32 bits");
  return static_cast<int32_t>(number);
}

bool Config::flag(const std::string& key, bool fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::string Config::text(const std::string& key, const std::string& fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_string()) refuse(key, "a text");
  return value->get<std::string>();
}

std::vector<std::string> Config::texts(const std::string& key) const {
  std::vector<std::string> all;
  const Json* value = find(key);
  if (!value) return all;
  if (!value->is_array()) refuse(key, "a list of texts");
  for (const Json& item : *value) {
    if (!item.is_string()) refuse(key, "a list of texts");
    all.push_back(item.get<std::string>());
  }
  return all;
}

std::vector<float> Config::numbers(const std::string& key) const {
  std::vector<float> all;
  const Json* value = find(key);
  if (!value) return all;
  if (!value->is_array()) refuse(key, "a list of numbers");
  for (const Json& item : *value) {
    if (!item.is_number() || !is_finite(item.get<double>())) refuse(key, "a list of finite numbers of 32 bits");
    all.push_back(item.get<float>());
  }
  return all;
}

Config Config::object(const std::string& key) const {
  const Json* value = find(key);
  if (value && !value->is_object()) refuse(key, "an object");
  return Config(value ? *value : Json::object(), where_ + ": " + key);
}

void Config::require(const std::string& key, const Json& only, const std::string& why) const {
  const Json* value = find(key);
  if (value && *value != only) refuse(key, only.dump() + " (" + why + ")");
}

float epsilon(const Config& config, const std::string& key, double fallback) {
  const double number = config.number(key, fallback);
  if (number < 0) config.refuse(key, "a number that is not negative");
  return static_cast<float>(number);
}

schema::Function activation(const std::string& name) {
  using schema::Function;
  static const std::map<std::string, Function> kFunctions = {
      {"gelu", Function::gelu},           {"gelu_python", Function::gelu},
      {"gelu_new", Function::gelu_tanh},  {"gelu_pytorch_tanh", Function::gelu_tanh},
      {"gelu_fast", Function::gelu_tanh}, {"quick_gelu", Function::gelu_quick},
      {"relu", Function::relu},           {"silu", Function::silu},
      {"swish", Function::silu},          {"tanh", Function::tanh},
      {"sigmoid", Function::sigmoid},     {"linear", Function::identity},
  };
  auto found = kFunctions.find(name);
  if (found == kFunctions.end()) throw Error(fmt::format("the activation \"{}\" is not supported", name));
  return found->second;
}

std::vector<std::string> labels(const Config& config, uint32_t count) {
  std::vector<std::string> names(count);
  for (uint32_t i = 0; i < count; ++i) names[i] = fmt::format("LABEL_{}", i);
  Config stored = config.object("id2label");
  for (const auto& [key, value] : stored.json().items()) {
    size_t id = 0, read = 0;
    try {
      id = std::stoul(key, &read);
    } catch (const std::exception&) {
      read = 0;
    }
    if (read != key.size() || key.empty() || id >= count)
      config.refuse("id2label", fmt::format("a text for each number below {}, the classifier's rows", count));
    names[id] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return names;
}

}  // namespace linnet::convert
