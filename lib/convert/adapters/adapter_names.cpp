#include "convert/adapters/adapter_names.h"

#include <fmt/format.h>

#include "convert/error.h"

namespace linnet::convert {

namespace {

struct Ending {
  const char* text;
  std::string AdaptedModule::*member;
};
// The first that fits counts: longer ones stand before those that they end with.
constexpr Ending kEndings[] = {
    {".lora_A.weight", &AdaptedModule::a},
    {".lora_B.weight", &AdaptedModule::b},
    {".lora_B.bias", &AdaptedModule::b_bias},
    {".lora_embedding_A", &AdaptedModule::embedding_a},
    {".lora_embedding_B", &AdaptedModule::embedding_b},
    {".base_layer.weight", &AdaptedModule::base_weight},
    {".base_layer.bias", &AdaptedModule::bias},
    {".modules_to_save.weight", &AdaptedModule::weight},
    {".modules_to_save.bias", &AdaptedModule::bias},
    {".weight", &AdaptedModule::weight},
    {".bias", &AdaptedModule::bias},
};
constexpr char kPrefix[] = "base_model.model.";

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() > ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

void add(const std::string& name, std::map<std::string, AdaptedModule>* modules) {
  if (name.find("lora_magnitude_vector") != std::string::npos)
    throw Error(fmt::format("tensor {}: the adapter is a DoRA, which renormalizes every row of the weights and is not supported", name));
  for (const Ending& ending : kEndings) {
    if (name.rfind(kPrefix, 0) != 0 || !ends_with(name, ending.text)) continue;
    const size_t first = sizeof kPrefix - 1, last = name.size() - std::string(ending.text).size();
    if (last <= first || name.find("lora_", first) < last) break;
    std::string& place = (*modules)[name.substr(first, last - first)].*ending.member;
    if (!place.empty()) throw Error(fmt::format("tensors {} and {} are for the same purpose", place, name));
    place = name;
    return;
  }
  throw Error(fmt::format("tensor {} is not understood as part of an adapter", name));
}

void expect_partner(const std::string& path, const std::string& one, const std::string& other, const char* missing) {
  if (!one.empty() && other.empty()) throw Error(fmt::format("module {} has tensor {} but no {}", path, one, missing));
}

}  // namespace

std::map<std::string, AdaptedModule> adapted_modules(const SafetensorsFile& file, bool lora_bias) {
  std::map<std::string, AdaptedModule> modules;
  for (const auto& [name, entry] : file.entries()) {
    add(name, &modules);
    if (entry.type != "F32" && entry.type != "F16" && entry.type != "BF16")
      throw Error(fmt::format("tensor {} is stored as {}, expected F32, F16 or BF16", name, entry.type));
  }
  for (const auto& [path, module] : modules) {
    expect_partner(path, module.a, module.b, "lora_B.weight");
    expect_partner(path, module.b, module.a, "lora_A.weight");
    expect_partner(path, module.b_bias, module.b, "lora_B.weight");
    expect_partner(path, module.embedding_a, module.embedding_b, "lora_embedding_B");
    expect_partner(path, module.embedding_b, module.embedding_a, "lora_embedding_A");
    if (lora_bias) expect_partner(path, module.b, module.b_bias, "lora_B.bias, which lora_bias promises");
    if (!module.weight.empty() && !module.base_weight.empty())
      throw Error(fmt::format("tensors {} and {} are for the same purpose", module.weight, module.base_weight));
  }
  if (modules.empty()) throw Error(file.path() + ": holds no tensors");
  return modules;
}

}  // namespace linnet::convert
