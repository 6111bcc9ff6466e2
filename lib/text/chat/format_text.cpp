#include "text/chat/format_text.h"

#include <algorithm>

#include "text/chat/format_value.h"
#include "text/chat/numbers.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

bool is_one_of(char c, std::string_view all) { return all.find(c) != all.npos; }

// Walks over a format with %, and takes one value after the other.
class Percent {
 public:
  Percent(Evaluator& evaluator, const String& text, const Value& values) noexcept
      : evaluator_(evaluator), text_(text), values_(values), tuple_(values.is(Kind::list) && values.list->kind == ListKind::tuple) {}

  Status run() noexcept {
    LINNET_TRY(evaluator_.spend_bytes(text_.size));
    const std::string_view view = text_.view();
    size_t done = 0;
    while (true) {
      const size_t sign = view.find('%', done);
      LINNET_TRY(evaluator_.sink().append(text_.part(done, sign == view.npos ? view.size() : sign)));
      if (sign == view.npos) break;
      at_ = sign + 1;
      LINNET_TRY(convert());
      done = at_;
    }
    const bool left = tuple_ ? next_ < values_.list->size : next_ == 0 && !values_.is(Kind::dict);
    return left && !named_ ? evaluator_.fail("a format has fewer places than there are values") : Status();
  }

 private:
  char next() const { return at_ < text_.size ? text_.text[at_] : '\0'; }

  Status take(Value* value) {
    const size_t size = tuple_ ? values_.list->size : 1;
    if (next_ >= size) return evaluator_.fail("a format has more places than there are values");
    *value = tuple_ ? values_.list->items[next_] : values_;
    ++next_;
    return {};
  }

  Status read_name(Value* value) {
    const size_t begin = ++at_;
    const size_t end = text_.view().find(')', begin);
    if (end == std::string_view::npos || !values_.is(Kind::dict)) return evaluator_.fail("a format with a name, without a dict of values");
    const String name = text_.part(begin, end);
    Value* found;
    LINNET_TRY(evaluator_.find(*values_.dict, Value::of_string(&name), &found));
    if (!found)
      return evaluator_.fail("a format names '%.*s', which is not among the values", static_cast<int>(std::min<size_t>(name.size, 60)),
                             name.text);
    *value = *found;
    named_ = true;
    at_ = end + 1;
    return {};
  }

  Status convert() {
    if (next() == '%') {
      LINNET_TRY(evaluator_.sink().append(text_.part(at_, at_ + 1)));
      ++at_;
      return {};
    }
    Value value;
    const bool by_name = next() == '(';
    if (by_name) LINNET_TRY(read_name(&value));
    ValueFormat format;
    format.align = '>';
    for (; is_one_of(next(), "-+ 0#") && at_ < text_.size; ++at_) {
      if (next() == '-') format.align = '<';
      if (next() == '+' || next() == ' ') format.sign = next();
      if (next() == '0' && format.align != '<') format.align = '=';
    }
    format.width = read_width(text_.view(), &at_);
    if (next() == '.') {
      ++at_;
      format.precision = read_width(text_.view(), &at_);
    }
    format.type = next();
    if (!is_one_of(format.type, "srdiufFeEgGxXo") || at_ >= text_.size) return evaluator_.fail("a format with '%%' that is not understood");
    ++at_;
    if (!by_name) LINNET_TRY(take(&value));
    return append(value, format);
  }

  Status append(const Value& value, ValueFormat format) {
    const bool number = format.type != 's' && format.type != 'r';
    if (format.align == '=') {
      format.align = number ? '=' : '>';
      if (number) format.fill = {"0", nullptr, 1, nullptr, false};
    }
    Value whole = value;
    if (format.type == 'i' || format.type == 'u') format.type = 'd';
    if (format.type == 'd' && value.is(Kind::real)) {
      if (!integer_from(value.real, &whole.integer)) return evaluator_.fail("a whole number does not fit into 64 bits");
      whole.kind = Kind::integer;
    }
    return append_formatted(evaluator_, whole, format);
  }

  Evaluator& evaluator_;
  const String& text_;
  const Value& values_;
  bool tuple_, named_ = false;
  size_t at_ = 0, next_ = 0;
};

// Walks over a format with braces.
class Braces {
 public:
  Braces(Evaluator& evaluator, const Arguments& arguments) noexcept
      : evaluator_(evaluator), text_(*arguments.self.string), arguments_(arguments) {}

  Status run() noexcept {
    LINNET_TRY(evaluator_.spend_bytes(text_.size));
    for (size_t at = 0; at < text_.size;) {
      const char c = text_.text[at];
      const bool doubled = at + 1 < text_.size && text_.text[at + 1] == c;
      if (c == '{' && !doubled) {
        const size_t end = text_.view().find('}', at);
        if (end == std::string_view::npos) return evaluator_.fail("a format with a single '{'");
        LINNET_TRY(field(text_.part(at + 1, end)));
        at = end + 1;
        continue;
      }
      if (c == '}' && !doubled) return evaluator_.fail("a format with a single '}'");
      LINNET_TRY(evaluator_.sink().append(text_.part(at, at + 1)));
      at += (c == '{' || c == '}') ? 2 : 1;
    }
    return {};
  }

 private:
  // [name or place][!r or !s][:format]
  Status field(const String& field) {
    const std::string_view view = field.view();
    const size_t colon = std::min(view.find(':'), view.size()), mark = std::min(view.find('!'), colon);
    ValueFormat format;
    if (colon < view.size() && !read_format(field.part(colon + 1, view.size()), &format))
      return evaluator_.fail("a format '%.*s' that is not understood", static_cast<int>(std::min<size_t>(view.size(), 60)), view.data());
    if (mark < colon) {
      const std::string_view conversion = cut(view, mark + 1, colon);
      if (conversion != "r" && conversion != "s") return evaluator_.fail("a format with '!' that is not understood");
      if (conversion == "r") format.type = 'r';
    }
    const std::string_view path = cut(view, 0, mark), name = cut(path, 0, std::min(path.find_first_of(".["), path.size()));
    if (name.size() < path.size()) return evaluator_.fail("a format that reads a part of its value is not supported");
    const Value* value = value_of(name);
    if (!value)
      return evaluator_.fail("a format names '%.*s', which is not among the values", static_cast<int>(std::min<size_t>(name.size(), 60)),
                             name.data());
    return append_formatted(evaluator_, *value, format);
  }

  const Value* value_of(std::string_view name) {
    int64_t place = static_cast<int64_t>(next_);
    if (name.empty()) ++next_;
    if (!name.empty() && (name[0] < '0' || name[0] > '9')) {
      for (const NamedValue& named : arguments_.named)
        if (named.name == name) return &named.value;
      return nullptr;
    }
    if (!name.empty() && !integer_from(name, 10, &place)) return nullptr;
    return place >= 0 && static_cast<size_t>(place) < arguments_.values.size() ? &arguments_.values[static_cast<size_t>(place)] : nullptr;
  }

  Evaluator& evaluator_;
  const String& text_;
  const Arguments& arguments_;
  size_t next_ = 0;
};

}  // namespace

Status format_percent(Evaluator& evaluator, const String& text, const Value& values, Value* result) noexcept {
  const size_t begin = evaluator.sink().size();
  LINNET_TRY(Percent(evaluator, text, values).run());
  return evaluator.take_string(begin, result);
}

Status format_braces(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const size_t begin = evaluator.sink().size();
  LINNET_TRY(Braces(evaluator, arguments).run());
  return evaluator.take_string(begin, result);
}

}  // namespace linnet::text::chat
