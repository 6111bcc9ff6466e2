// Whether a JSON value satisfies a schema: written from the specification, for the keywords that the tests' schemas use, and without any of
// the library's own code.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
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

  // d stands for a digit, x for a hexadecimal one, everything else for itself.
  static bool has_shape(const std::string& text, const std::string& shape) {
    if (text.size() != shape.size()) return false;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (shape[i] == 'd' ? !std::isdigit(c) : shape[i] == 'x' ? !std::isxdigit(c) : text[i] != shape[i]) return false;
    }
    return true;
  }

  static int number_at(const std::string& text, size_t at, size_t digits) { return std::stoi(text.substr(at, digits)); }

  static bool is_date(const std::string& text) {
    if (!has_shape(text, "dddd-dd-dd")) return false;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
  }

  static bool is_time(const std::string& text) {
    if (text.size() < 9 || !has_shape(text.substr(0, 8), "dd:dd:dd")) return false;
    if (number_at(text, 0, 2) > 23 || number_at(text, 3, 2) > 59 || number_at(text, 6, 2) > 59) return false;
    size_t at = 8;
    if (text[at] == '.')
      for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]));) ++at;
    const std::string zone = text.substr(at);
    return zone == "Z" ||
           ((has_shape(zone, "+dd:dd") || has_shape(zone, "-dd:dd")) && number_at(zone, 1, 2) < 24 && number_at(zone, 4, 2) < 60);
  }

  static bool is_email(const std::string& text) {
    const size_t sign = text.find('@'), point = text.find('.', sign == text.npos ? 0 : sign);
    if (sign == text.npos || sign == 0 || text.find('@', sign + 1) != text.npos || text.find(' ') != text.npos) return false;
    return point != text.npos && point > sign + 1 && text.back() != '.' && text.find("..") == text.npos;
  }

  static bool is_ipv4(const std::string& text) {
    size_t parts = 0, at = 0;
    for (; at <= text.size() && parts < 5; ++parts) {
      const size_t end = std::min(text.find('.', at), text.size());
      const std::string part = text.substr(at, end - at);
      if (part.empty() || part.size() > 3 || !has_shape(part, std::string(part.size(), 'd')) || std::stoi(part) > 255) return false;
      at = end + 1;
    }
    return parts == 4;
  }

  static bool has_format(const std::string& text, const std::string& format) {
    if (format == "date") return is_date(text);
    if (format == "time") return is_time(text);
    if (format == "date-time") return text.size() > 11 && text[10] == 'T' && is_date(text.substr(0, 10)) && is_time(text.substr(11));
    if (format == "uuid") return has_shape(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    if (format == "email") return is_email(text);
    return format == "ipv4" && is_ipv4(text);
  }

  // The one pattern of the tests' schemas, taken apart by hand.
  static bool has_pattern(const std::string& text, const std::string& pattern) {
    if (pattern != "^[A-Z]{2}-[0-9]{3,5}(x|yz)?$") return false;
    if (text.size() < 6 || !std::isupper(static_cast<unsigned char>(text[0])) || !std::isupper(static_cast<unsigned char>(text[1])))
      return false;
    size_t at = 3;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) ++at;
    const std::string rest = text.substr(at);
    return text[2] == '-' && at >= 6 && at <= 8 && (rest.empty() || rest == "x" || rest == "yz");
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
    if (schema.contains("pattern") && !has_pattern(text, schema["pattern"].get<std::string>())) return false;
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
