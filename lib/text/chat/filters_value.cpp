// Filters that make one value of another: defaults, numbers, JSON.
#include <cmath>

#include "text/chat/numbers.h"
#include "text/chat/text_tools.h"
#include "text/chat/to_json.h"

namespace linnet::text::chat {
namespace {

bool is_true(const Value* value) { return value && Evaluator::truth(*value); }

Status default_filter(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const bool replaced = arguments.self.is(Kind::undefined) || (is_true(arguments.bound[1]) && !Evaluator::truth(arguments.self));
  if (!replaced)
    *result = arguments.self;
  else if (arguments.bound[0])
    *result = *arguments.bound[0];
  else
    return evaluator.new_string({}, result);
  return {};
}

Status to_integer(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const Value& value = arguments.self;
  int64_t integer = 0, base;
  double real = 0;
  LINNET_TRY(evaluator.integer_argument(arguments, 1, 10, &base));
  if (value.is(Kind::undefined)) return evaluator.fail_undefined(value);
  if (base < 2 || base > 36) return evaluator.fail("'int' needs a base from 2 to 36");
  bool valid = value.is(Kind::boolean) || value.is(Kind::integer);
  if (valid)
    integer = value.as_integer();
  else if (value.is(Kind::real))
    valid = integer_from(real = value.real, &integer);
  else if (value.is(Kind::string))
    valid =
        integer_from(value.text(), static_cast<int>(base), &integer) || (real_from(value.text(), &real) && integer_from(real, &integer));
  // The reference's whole numbers have no end.
  if (!valid && (value.is(Kind::real) || (std::isfinite(real) && std::fabs(real) >= 0x1p63)))
    return evaluator.fail("a whole number does not fit into 64 bits");
  const bool data = value.is(Kind::string) ? value.string->size > 0 && value.string->is_data(0) : value.data;
  *result = valid ? Value::of_integer(integer, data) : arguments.bound[0] ? *arguments.bound[0] : Value::of_integer(0);
  return {};
}

Status to_real(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const Value& value = arguments.self;
  double real = 0;
  if (value.is(Kind::undefined)) return evaluator.fail_undefined(value);
  bool valid = value.is_number();
  if (valid)
    real = value.as_real();
  else if (value.is(Kind::string))
    valid = real_from(value.text(), &real);
  const bool data = value.is(Kind::string) ? value.string->size > 0 && value.string->is_data(0) : value.data;
  *result = valid ? Value::of_real(real, data) : arguments.bound[0] ? *arguments.bound[0] : Value::of_real(0);
  return {};
}

Status need_number(Evaluator& evaluator, const Arguments& arguments) {
  if (arguments.self.is(Kind::undefined)) return evaluator.fail_undefined(arguments.self);
  if (arguments.self.is_number()) return {};
  return evaluator.fail("'%.*s' is for numbers, not for a value of type %s", static_cast<int>(arguments.name.size()), arguments.name.data(),
                        type_name(arguments.self));
}

Status absolute(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  LINNET_TRY(need_number(evaluator, arguments));
  const Value& value = arguments.self;
  if (value.is(Kind::real)) {
    *result = Value::of_real(std::fabs(value.real), value.data);
    return {};
  }
  if (value.as_integer() < 0) return evaluator.operate(Operator::subtract, Value::of_integer(0), value, result);
  *result = Value::of_integer(value.as_integer(), value.data);
  return {};
}

Status round(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  LINNET_TRY(need_number(evaluator, arguments));
  const Value& value = arguments.self;
  int64_t digits;
  String method;
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 0, &digits));
  LINNET_TRY(evaluator.string_argument(arguments, 1, "common", &method));
  if (digits < -64 || digits > 64) return evaluator.fail("'round' to more than 64 digits");
  if (method.view() == "common") {
    const bool whole = !value.is(Kind::real);
    *result = whole && digits >= 0 ? Value::of_integer(value.as_integer(), value.data)
                                   : Value::of_real(rounded(value.as_real(), static_cast<int>(digits)), value.data);
    if (!whole || digits >= 0) return {};
    int64_t integer;
    if (!integer_from(result->real, &integer)) return evaluator.fail("a whole number does not fit into 64 bits");
    *result = Value::of_integer(integer, value.data);
    return {};
  }
  if (method.view() != "floor" && method.view() != "ceil") return evaluator.fail("'round' knows 'common', 'floor' and 'ceil'");
  const double scale = std::pow(10.0, static_cast<double>(digits)), scaled = value.as_real() * scale;
  *result = Value::of_real((method.view() == "floor" ? std::floor(scaled) : std::ceil(scaled)) / scale, value.data);
  return {};
}

Status separator(Evaluator& evaluator, const Value& value, size_t place, String* text) {
  if (!value.is(Kind::list) || value.list->size != 2 || !value.list->items[place].is(Kind::string))
    return evaluator.fail("'tojson' needs two strings as separators");
  *text = *value.list->items[place].string;
  return {};
}

Status to_json(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  JsonForm form;
  form.ascii = is_true(arguments.bound[0]);
  form.sorted = is_true(arguments.bound[3]);
  const Value* indent = arguments.bound[1];
  if (indent && indent->is(Kind::string)) {
    form.indent = *indent->string;
    form.lines = true;
  } else if (indent && !indent->is(Kind::none)) {
    int64_t width;
    LINNET_TRY(evaluator.integer_argument(arguments, 1, 0, &width));
    if (width > 64) return evaluator.fail("'tojson' indents by 64 at most");
    constexpr const char* kSpaces = "                                                                ";
    form.indent = {kSpaces, nullptr, static_cast<size_t>(width > 0 ? width : 0), nullptr, false};
    form.lines = true;
  }
  form.between =
      form.lines ? String{",", nullptr, 1, nullptr, arguments.self.data} : String{", ", nullptr, 2, nullptr, arguments.self.data};
  if (arguments.bound[2] && !arguments.bound[2]->is(Kind::none)) {
    LINNET_TRY(separator(evaluator, *arguments.bound[2], 0, &form.between));
    LINNET_TRY(separator(evaluator, *arguments.bound[2], 1, &form.after_key));
  }
  const size_t begin = evaluator.sink().size();
  LINNET_TRY(append_json(evaluator, arguments.self, form, 0));
  return evaluator.take_string(begin, result);
}

// What the value's type has of that name, or a namespace; never a key of a dict.
Status attribute_filter(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String name;
  bool known = true;
  if (!arguments.bound[0]) return evaluator.fail("'attr' needs a name");
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &name));
  if (arguments.self.is(Kind::dict)) find_dict_method(name.view(), &known);
  return known ? evaluator.attribute(arguments.self, name.view(), result)
               : evaluator.undefined(name.view(), type_name(arguments.self), result);
}

constexpr Builtin kFilters[] = {
    {"attr", "name", attribute_filter},
    {"default", "default_value boolean", default_filter},
    {"d", "default_value boolean", default_filter},
    {"int", "default base", to_integer},
    {"float", "default", to_real},
    {"abs", "", absolute},
    {"round", "precision method", round},
    {"tojson", "ensure_ascii indent separators sort_keys", to_json},
};

}  // namespace

std::span<const Builtin> value_filters() noexcept { return kFilters; }

const Builtin* find_filter(std::string_view name) noexcept {
  for (std::span<const Builtin> part : {text_filters(), list_filters(), order_filters(), select_filters(), value_filters()})
    for (const Builtin& filter : part)
      if (filter.name == name) return &filter;
  return nullptr;
}

}  // namespace linnet::text::chat
