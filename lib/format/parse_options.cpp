#include <cmath>
#include <initializer_list>

#include "format/parse.h"

namespace linnet::format {
namespace {

struct Number {
  const char* name;
  float value;
  bool negative = true;  // may be below 0
};

Status check_numbers(std::initializer_list<Number> numbers) {
  for (const Number& number : numbers) {
    if (!std::isfinite(number.value)) return Status::error(Code::corrupt, "its %s is not a finite number", number.name);
    if (!number.negative && number.value < 0) return Status::error(Code::corrupt, "its %s is below 0", number.name);
  }
  return {};
}

Status check_rotary_angles(const schema::RotaryAngles& options) {
  return check_numbers({{"base", options.base(), false},
                        {"factor", options.factor(), false},
                        {"low_frequency_factor", options.low_frequency_factor(), false},
                        {"high_frequency_factor", options.high_frequency_factor(), false},
                        {"beta_fast", options.beta_fast(), false},
                        {"beta_slow", options.beta_slow(), false},
                        {"attention_factor", options.attention_factor()}});
}

Status check_attention(const schema::Attention& options) {
  return check_numbers({{"scale", options.scale()}, {"softcap", options.softcap(), false}});
}

Status check_experts(const schema::Experts& options) {
  return check_numbers({{"limit", options.limit(), false}, {"up_offset", options.up_offset()}});
}

Status check_options(const Node& node) {
  using schema::Options;
  switch (node.type) {
    case Options::Embed:
      return check_numbers({{"scale", node.as<schema::Embed>().scale()}});
    case Options::Norm:
      return check_numbers({{"epsilon", node.as<schema::Norm>().epsilon(), false}});
    case Options::RotaryAngles:
      return check_rotary_angles(node.as<schema::RotaryAngles>());
    case Options::Attention:
      return check_attention(node.as<schema::Attention>());
    case Options::NgramAttention:
      return check_numbers({{"scale", node.as<schema::NgramAttention>().scale()}});
    case Options::Binary:
      return check_numbers({{"scale", node.as<schema::Binary>().scale()}});
    case Options::Scale:
      return check_numbers({{"scale", node.as<schema::Scale>().scale()}});
    case Options::Softcap:
      return check_numbers({{"cap", node.as<schema::Softcap>().cap(), false}});
    case Options::Clamp:
      return check_numbers({{"low", node.as<schema::Clamp>().low()}, {"high", node.as<schema::Clamp>().high()}});
    case Options::Route:
      return check_numbers(
          {{"renormalize_epsilon", node.as<schema::Route>().renormalize_epsilon(), false}, {"scale", node.as<schema::Route>().scale()}});
    case Options::Experts:
      return check_experts(node.as<schema::Experts>());
    default:
      return {};
  }
}

}  // namespace

Status check_option_numbers(const Node& node) noexcept {
  Status status = check_options(node);
  if (status.ok()) return status;
  return Status::error(status.code(), "%s: %s", schema::EnumNameOptions(node.type), status.message());
}

}  // namespace linnet::format
