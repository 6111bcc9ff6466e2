// Arithmetic, and what + * % do to strings and lists.
#include <cmath>

#include "core/limits.h"
#include "text/chat/evaluator.h"
#include "text/chat/format_text.h"

namespace linnet::text::chat {
namespace {

constexpr const char* kSigns[] = {"+", "-", "*", "/", "//", "%", "**"};

// False where it overflows or divides by zero. Division and remainder go downwards.
bool operate_integers(Operator op, int64_t a, int64_t b, int64_t* result) {
  switch (op) {
    case Operator::add:
      return !__builtin_add_overflow(a, b, result);
    case Operator::subtract:
      return !__builtin_sub_overflow(a, b, result);
    case Operator::multiply:
      return !__builtin_mul_overflow(a, b, result);
    case Operator::floor_divide:
    case Operator::modulo: {
      if (b == 0 || (a == INT64_MIN && b == -1)) return false;
      const int64_t rest = a % b;
      const bool below = rest != 0 && (rest < 0) != (b < 0);
      *result = op == Operator::modulo ? rest + (below ? b : 0) : a / b - (below ? 1 : 0);
      return true;
    }
    default:
      break;
  }
  *result = 1;
  if (a == 0 || a == 1 || a == -1) {
    *result = b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a;
    return true;
  }
  for (int64_t i = 0; i < b; ++i)
    if (__builtin_mul_overflow(*result, a, result)) return false;  // after 63 rounds at most
  return true;
}

double operate_reals(Operator op, double a, double b) {
  switch (op) {
    case Operator::add:
      return a + b;
    case Operator::subtract:
      return a - b;
    case Operator::multiply:
      return a * b;
    case Operator::divide:
      return a / b;
    case Operator::power:
      return std::pow(a, b);
    default:
      break;
  }
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return op == Operator::modulo ? rest : std::floor((a - rest) / b + 0.5);
}

}  // namespace

Status Evaluator::operate(Operator op, const Value& a, const Value& b, Value* result) noexcept {
  LINNET_TRY(spend(1));
  if (a.is_number() && b.is_number()) return operate_numbers(op, a, b, result);
  if (a.is(Kind::string) && op == Operator::modulo) return format_percent(*this, *a.string, b, result);
  if (a.is(Kind::undefined)) return fail_undefined(a);
  if (b.is(Kind::undefined)) return fail_undefined(b);
  if (op == Operator::add && a.is(Kind::string) && b.is(Kind::string)) return concat(*a.string, *b.string, result);
  if (op == Operator::add && a.is(Kind::list) && b.is(Kind::list) && a.list->kind == b.list->kind && a.list->kind <= ListKind::tuple) {
    LINNET_TRY(new_list(a.list->kind, a.list->size + b.list->size, a.data && b.data, result));
    for (size_t i = 0; i < a.list->size; ++i) result->list->items[i] = a.list->items[i];
    for (size_t i = 0; i < b.list->size; ++i) result->list->items[a.list->size + i] = b.list->items[i];
    return {};
  }
  if (op == Operator::multiply) {
    const bool turned = a.is(Kind::integer) || a.is(Kind::boolean);
    const Value &repeated = turned ? b : a, &times = turned ? a : b;
    if ((repeated.is(Kind::string) || (repeated.is(Kind::list) && repeated.list->kind <= ListKind::tuple)) &&
        (times.is(Kind::integer) || times.is(Kind::boolean)))
      return repeat(repeated, times.as_integer(), result);
  }
  return fail("values of type %s and %s have no '%s'", type_name(a), type_name(b), kSigns[static_cast<size_t>(op)]);
}

Status Evaluator::operate_numbers(Operator op, const Value& a, const Value& b, Value* result) noexcept {
  const bool data = a.data || b.data, whole = !a.is(Kind::real) && !b.is(Kind::real);
  const bool divides = op == Operator::divide || op == Operator::floor_divide || op == Operator::modulo;
  if (divides && b.as_real() == 0) return fail("a division by zero");
  if (whole && op != Operator::divide && !(op == Operator::power && b.as_integer() < 0)) {
    int64_t integer;
    if (!operate_integers(op, a.as_integer(), b.as_integer(), &integer)) return fail("a whole number does not fit into 64 bits");
    *result = Value::of_integer(integer, data);
    return {};
  }
  if (op == Operator::power && a.as_real() == 0 && b.as_real() < 0) return fail("a division by zero");
  const double real = operate_reals(op, a.as_real(), b.as_real());
  if (op == Operator::power && !std::isfinite(real) && std::isfinite(a.as_real()) && std::isfinite(b.as_real()))
    return fail("a power is no real number, or too large");
  *result = Value::of_real(real, data);
  return {};
}

Status Evaluator::repeat(const Value& value, int64_t times, Value* result) noexcept {
  const size_t count = times > 0 ? static_cast<size_t>(times) : 0;
  const size_t size = value.is(Kind::string) ? value.string->size : value.list->size;
  if (size > 0 && count > core::limits::kTemplateMemory / size) return fail("a value that is repeated too often");
  if (value.is(Kind::string)) {
    const size_t begin = sink_.size();
    if (size > 0) {
      LINNET_TRY(spend(1 + count));
      LINNET_TRY(spend_bytes(size * count));
      for (size_t i = 0; i < count; ++i) LINNET_TRY(sink_.append(*value.string));
    }
    return take_string(begin, result);
  }
  LINNET_TRY(new_list(value.list->kind, size * count, value.data, result));
  for (size_t i = 0; i < size * count; ++i) result->list->items[i] = value.list->items[i % size];
  return {};
}

}  // namespace linnet::text::chat
