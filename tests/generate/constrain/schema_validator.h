// Whether a JSON value satisfies a schema: written from the specification, for the keywords that the tests' schemas use, and without any of
// the library's own code.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

namespace linnet::tests {

class SchemaValidator {
 public:
  using Json = nlohmann::ordered_json;
  explicit SchemaValidator(const Json& root) : root_(root) {}

  bool valid(const Json& value) const { return satisfies(value, root_); }

 private:
  static bool is_type(const Json& value, const std::string& type) {
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer")
      return value.is_number_integer() || (value.is_number() && std::floor(value.get<double>()) == value.get<double>());
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  static size_t characters(const std::string& text) {
    size_t count = 0;
    for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
  }

  static bool has_format(const std::string& text, const std::string& format) {
    static const std::regex date("(\\d{4})-(\\d{2})-(\\d{2})"), time("(\\d{2}):(\\d{2}):(\\d{2})(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})"),
        uuid("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), email("[^@\\s]+@[^@\\s.]+(\\.[^@\\s.]+)+"),
        ipv4("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
    std::smatch match;
    if (format == "date") {
      if (!std::regex_match(text, match, date)) return false;
      static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
      const int year = std::stoi(match[1]), month = std::stoi(match[2]), day = std::stoi(match[3]);
      const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
      return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
    }
    if (format == "time")
      return std::regex_match(text, match, time) && std::stoi(match[1]) < 24 && std::stoi(match[2]) < 60 && std::stoi(match[3]) < 60;
    if (format == "date-time")
      return text.size() > 11 && text[10] == 'T' && has_format(text.substr(0, 10), "date") && has_format(text.substr(11), "time");
    if (format == "uuid") return std::regex_match(text, uuid);
    if (format == "email") return std::regex_match(text, email);
    if (format == "ipv4") {
      if (!std::regex_match(text, match, ipv4)) return false;
      for (size_t i = 1; i <= 4; ++i)
        if (std::stoi(match[i]) > 255) return false;
    }
    return true;
  }

  bool number(const Json& value, const Json& schema) const {
    if (!value.is_number()) return true;
    const double number = value.get<double>();
    if (schema.contains("minimum") && number < schema["minimum"].get<double>()) return false;
    if (schema.contains("maximum") && number > schema["maximum"].get<double>()) return false;
    if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>()) return false;
    if (schema.contains("exclusiveMaximum") && number >= schema["exclusiveMaximum"].get<double>()) return false;
    if (!schema.contains("multipleOf")) return true;
    const double times = number / schema["multipleOf"].get<double>();
    return std::abs(times - std::round(times)) <= 1e-9 * std::max(1.0, std::abs(times));
  }

  bool string(const Json& value, const Json& schema) const {
    if (!value.is_string()) return true;
    const auto text = value.get<std::string>();
    if (schema.contains("minLength") && characters(text) < schema["minLength"].get<size_t>()) return false;
    if (schema.contains("maxLength") && characters(text) > schema["maxLength"].get<size_t>()) return false;
    if (schema.contains("pattern") && !std::regex_search(text, std::regex(schema["pattern"].get<std::string>()))) return false;
    return !schema.contains("format") || has_format(text, schema["format"].get<std::string>());
  }

  bool array(const Json& value, const Json& schema) const {
    if (!value.is_array()) return true;
    if (schema.contains("minItems") && value.size() < schema["minItems"].get<size_t>()) return false;
    if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<size_t>()) return false;
    const size_t first = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
    for (size_t i = 0; i < value.size(); ++i) {
      if (i < first && !satisfies(value[i], schema["prefixItems"][i])) return false;
      if (i >= first && schema.contains("items") && !satisfies(value[i], schema["items"])) return false;
    }
    return true;
  }

  bool object(const Json& value, const Json& schema) const {
    if (!value.is_object()) return true;
    if (schema.contains("required"))
      for (const Json& name : schema["required"])
        if (!value.contains(name.get<std::string>())) return false;
    for (const auto& [name, member] : value.items()) {
      const bool known = schema.contains("properties") && schema["properties"].contains(name);
      if (known && !satisfies(member, schema["properties"][name])) return false;
      if (!known && schema.contains("additionalProperties") && !satisfies(member, schema["additionalProperties"])) return false;
    }
    return true;
  }

  bool choices(const Json& value, const Json& schema) const {
    const auto fitting = [&](const char* keyword) {
      size_t count = 0;
      for (const Json& branch : schema[keyword]) count += satisfies(value, branch);
      return count;
    };
    if (schema.contains("anyOf") && fitting("anyOf") == 0) return false;
    if (schema.contains("oneOf") && fitting("oneOf") != 1) return false;
    return !schema.contains("allOf") || fitting("allOf") == schema["allOf"].size();
  }

  bool satisfies(const Json& value, const Json& schema) const {
    if (schema.is_boolean()) return schema.get<bool>();
    if (schema.contains("$ref") && !satisfies(value, root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)))))
      return false;
    if (schema.contains("const") && value != schema["const"]) return false;
    if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) return false;
    if (schema.contains("type")) {
      const Json& type = schema["type"];
      bool fits = false;
      for (const Json& name : type.is_array() ? type : Json::array({type})) fits = fits || is_type(value, name.get<std::string>());
      if (!fits) return false;
    }
    return number(value, schema) && string(value, schema) && array(value, schema) && object(value, schema) && choices(value, schema);
  }

  const Json& root_;
};

}  // namespace linnet::tests
