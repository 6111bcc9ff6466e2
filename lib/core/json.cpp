#include "core/json.h"

#include <algorithm>
#include <charconv>

#include "core/limits.h"

namespace linnet::core {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Bytes of the UTF-8 sequence at `at`; 0 where it is none.
size_t sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what is above U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  return length;
}

// Whether a number that from_chars calls out of range is too large, rather than too small.
bool is_large(std::string_view number) {
  const size_t mark = std::min(number.find_first_of("eE"), number.size());
  const size_t point = std::min(number.find('.'), mark), digit = number.find_first_of("123456789");
  int64_t exponent = 0;
  if (mark < number.size()) {
    const char* begin = number.data() + mark + (number[mark + 1] == '+' ? 2 : 1);
    if (std::from_chars(begin, number.data() + number.size(), exponent).ec != std::errc()) return number[mark + 1] != '-';
  }
  const int64_t place = digit < point ? static_cast<int64_t>(point - digit) : -static_cast<int64_t>(digit - point);
  return exponent + place > 0;
}

}  // namespace

class JsonParser {
 public:
  explicit JsonParser(std::string_view source, Json* json) noexcept : source_(source), json_(*json) {}

  Status parse() noexcept {
    if (source_.size() > limits::kJsonBytes)
      return Status::error(Code::invalid_argument, "JSON of %zu bytes, expected at most %u", source_.size(), limits::kJsonBytes);
    LINNET_TRY(json_.text_.reserve(source_.size()));  // no text grows when it is read, so views of it stay valid
    std::string_view key;
    do {
      skip_space();
      const bool closed = at_ < source_.size() && depth_ > 0 && source_[at_] == (in_object() ? '}' : ']') && open_[depth_ - 1].last == 0;
      if (!closed) {
        if (depth_ > 0 && in_object()) LINNET_TRY(read_key(&key));
        bool entered = false;
        LINNET_TRY(read_value(key, &entered));
        if (entered) continue;
      }
      LINNET_TRY(close_containers());
    } while (depth_ > 0);
    skip_space();
    return at_ == source_.size() ? Status() : fail("the end");
  }

 private:
  struct Open {
    uint32_t value, last;  // the container, and its latest child; 0: none yet
  };

  bool in_object() const { return json_.values_[open_[depth_ - 1].value].kind_ == JsonKind::object; }
  char peek() const { return at_ < source_.size() ? source_[at_] : '\0'; }

  void skip_space() {
    while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t' || source_[at_] == '\n' || source_[at_] == '\r')) ++at_;
  }

  Status fail(const char* expected) const {
    const std::string_view before(source_.data(), at_);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t newline = before.rfind('\n');
    return Status::error(Code::invalid_argument, "JSON, line %td, column %zu: expected %s", line,
                         newline == before.npos ? at_ + 1 : at_ - newline, expected);
  }

  // After a value: the commas and ends that follow it, up to where the next value is due.
  Status close_containers() {
    while (depth_ > 0) {
      skip_space();
      const bool object = in_object();
      if (peek() == ',' && open_[depth_ - 1].last != 0) {
        ++at_;
        skip_space();
        return peek() == '}' || peek() == ']' ? fail(object ? "a member's name" : "a value") : Status();
      }
      if (peek() != (object ? '}' : ']')) return fail(object ? "',' or '}'" : "',' or ']'");
      ++at_;
      --depth_;
      if (object) LINNET_TRY(merge_members(&json_.values_[open_[depth_].value]));
    }
    return {};
  }

  Status read_key(std::string_view* key) {
    if (peek() != '"') return fail("a member's name");
    LINNET_TRY(read_string(key));
    skip_space();
    if (peek() != ':') return fail("':'");
    ++at_;
    skip_space();
    return {};
  }

  Status read_value(std::string_view key, bool* entered) {
    if (json_.values_.size() == limits::kJsonValues)
      return Status::error(Code::invalid_argument, "JSON with more than %u values", limits::kJsonValues);
    JsonValue value;
    const char c = peek();
    *entered = c == '{' || c == '[';
    if (*entered) {
      if (depth_ == limits::kJsonNesting) return fail_nesting();
      value.kind_ = c == '{' ? JsonKind::object : JsonKind::array;
      ++at_;
    } else if (c == '"') {
      value.kind_ = JsonKind::string;
      LINNET_TRY(read_string(&value.text_));
    } else if (c == '-' || is_digit(c)) {
      LINNET_TRY(read_number(&value));
    } else {
      LINNET_TRY(read_word(&value));
    }
    if (depth_ > 0 && in_object()) value.key_ = key;
    const auto index = static_cast<uint32_t>(json_.values_.size());
    LINNET_TRY(json_.values_.push(value));
    if (depth_ > 0) link(index);
    if (*entered) open_[depth_++] = {index, 0};
    return {};
  }

  Status fail_nesting() const { return Status::error(Code::invalid_argument, "JSON that is nested deeper than %u", limits::kJsonNesting); }

  void link(uint32_t index) {
    Open& parent = open_[depth_ - 1];
    JsonValue& container = json_.values_[parent.value];
    if (parent.last == 0)
      container.first_ = index - parent.value;
    else
      json_.values_[parent.last].next_ = index - parent.last;
    ++container.size_;
    parent.last = index;
  }

  Status read_word(JsonValue* value) {
    const std::string_view rest(source_.data() + at_, source_.size() - at_);
    const auto is = [&](std::string_view word) { return rest.starts_with(word); };
    const std::string_view word = is("null") ? "null" : is("true") ? "true" : is("false") ? "false" : "";
    if (word.empty()) return fail("a value");
    at_ += word.size();
    value->kind_ = word == "null" ? JsonKind::null : JsonKind::boolean;
    value->integer_ = word == "true";
    return {};
  }

  void skip_digits() {
    while (is_digit(peek())) ++at_;
  }

  Status read_number(JsonValue* value) {
    const size_t begin = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) return fail("a digit");
    const bool zero = peek() == '0';
    zero ? static_cast<void>(++at_) : skip_digits();
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++at_;
      if (!is_digit(peek())) return fail("a digit");
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!is_digit(peek())) return fail("a digit");
      skip_digits();
    }
    const std::string_view text(source_.data() + begin, at_ - begin);
    const char* end = text.data() + text.size();
    value->text_ = keep(text);
    value->kind_ = JsonKind::integer;
    if (whole && std::from_chars(text.data(), end, value->integer_).ec == std::errc()) return {};
    value->kind_ = JsonKind::number;
    value->number_ = 0;
    if (std::from_chars(text.data(), end, value->number_).ec == std::errc() || !is_large(text)) return {};
    at_ = begin;
    return fail("a number below 1.8e308");
  }

  std::string_view keep(std::string_view text) {
    const size_t begin = json_.text_.size();
    for (char c : text) put(c);
    return {json_.text_.data() + begin, text.size()};
  }
  // There is room for the whole source, so this cannot fail.
  void put(char c) { (void)json_.text_.push(c).ok(); }

  Status read_string(std::string_view* text) {
    const size_t begin = json_.text_.size();
    ++at_;
    while (peek() != '"') {
      if (at_ >= source_.size()) return fail("'\"'");
      const size_t length = sequence_length(source_, at_);
      if (length == 0) return fail("valid UTF-8");
      if (static_cast<uint8_t>(source_[at_]) < 0x20) return fail("no control character in a string");
      if (source_[at_] == '\\') {
        LINNET_TRY(read_escape());
        continue;
      }
      for (size_t i = 0; i < length; ++i) put(source_[at_ + i]);
      at_ += length;
    }
    ++at_;
    *text = {json_.text_.data() + begin, json_.text_.size() - begin};
    return {};
  }

  Status read_escape() {
    ++at_;
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (peek() == 'u') return read_code();
    const size_t which = at_ < source_.size() ? kNames.find(source_[at_]) : kNames.npos;
    if (which == kNames.npos) return fail("an escape such as \\n");
    put(kMeanings[which]);
    ++at_;
    return {};
  }

  Status read_code() {
    uint32_t code = 0, low = 0;
    LINNET_TRY(read_unit(&code));
    if (code >= 0xD800 && code < 0xE000) {
      if (code >= 0xDC00 || peek() != '\\') return fail("both halves of a character above U+FFFF");
      ++at_;
      LINNET_TRY(read_unit(&low));
      if (low < 0xDC00 || low > 0xDFFF) return fail("the lower half of a character above U+FFFF");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    const uint32_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
    put(static_cast<char>(kLead[more] | code >> (6 * more)));
    for (uint32_t i = more; i > 0; --i) put(static_cast<char>(0x80 | (code >> (6 * (i - 1)) & 0x3F)));
    return {};
  }

  // u and four hexadecimal digits.
  Status read_unit(uint32_t* unit) {
    if (peek() != 'u') return fail("\\u");
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!is_digit(c) && !letter) return fail("four hexadecimal digits");
      *unit = *unit * 16 + static_cast<uint32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
    }
    return {};
  }

  // Of members with the same name, the first takes over the last one's value; the others leave the list.
  Status merge_members(JsonValue* object) {
    if (object->size_ < 2) return {};
    members_.clear();
    for (JsonValue& member : children(object)) LINNET_TRY(members_.push(&member));
    std::sort(members_.begin(), members_.end(),
              [](const JsonValue* a, const JsonValue* b) { return a->key_ != b->key_ ? a->key_ < b->key_ : a < b; });
    bool repeated = false;
    for (size_t i = 0, end; i < members_.size(); i = end) {
      for (end = i + 1; end < members_.size() && members_[end]->key_ == members_[i]->key_; ++end) members_[end]->key_ = {};
      if (end == i + 1) continue;
      repeated = true;
      take_over(members_[i], *members_[end - 1]);
      for (size_t copy = i + 1; copy < end; ++copy) members_[copy]->size_ = kDropped;
    }
    if (repeated) drop_members(object);
    return {};
  }

  static void take_over(JsonValue* to, const JsonValue& from) {
    const std::string_view key = to->key_;
    const uint32_t next = to->next_;
    const auto distance = static_cast<uint32_t>(&from - to);
    *to = from;
    to->key_ = key;
    to->next_ = next;
    if (from.first_ != 0) to->first_ = from.first_ + distance;
  }

  void drop_members(JsonValue* object) {
    JsonValue* kept = object + object->first_;
    object->size_ = 1;
    for (JsonValue* member = kept; member->next_ != 0;) {
      member += member->next_;
      if (member->size_ == kDropped) continue;
      kept->next_ = static_cast<uint32_t>(member - kept);
      kept = member;
      ++object->size_;
    }
    kept->next_ = 0;
  }

  struct Children {
    JsonValue* parent;
    struct Iterator {
      JsonValue* at;
      JsonValue& operator*() const { return *at; }
      Iterator& operator++() {
        at = at->next_ ? at + at->next_ : nullptr;
        return *this;
      }
      bool operator!=(const Iterator& other) const { return at != other.at; }
    };
    Iterator begin() const { return {parent->first_ ? parent + parent->first_ : nullptr}; }
    Iterator end() const { return {nullptr}; }
  };
  static Children children(JsonValue* parent) { return {parent}; }

  static constexpr uint32_t kDropped = UINT32_MAX;
  std::string_view source_;
  Json& json_;
  Array<JsonValue*> members_;
  Open open_[limits::kJsonNesting];
  size_t at_ = 0;
  uint32_t depth_ = 0;
};

Result<Json> Json::parse(std::string_view text) noexcept {
  Json json;
  LINNET_TRY(JsonParser(text, &json).parse());
  return json;
}

}  // namespace linnet::core
