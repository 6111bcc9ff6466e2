#include "core/json.h"

#include <algorithm>

#include "core/json_text.h"
#include "core/limits.h"

namespace linnet::core {

class JsonParser {
 public:
  JsonParser(std::string_view source, Json* json) noexcept : source_(source), words_(source, &json->text_), json_(*json) {}

  Status parse() noexcept {
    if (source_.size() > limits::kJsonBytes)
      return Status::error(Code::invalid_argument, "JSON of %zu bytes, expected at most %u", source_.size(), limits::kJsonBytes);
    LINNET_TRY(json_.text_.reserve(source_.size()));  // no text grows when it is read, so views of it stay valid
    std::string_view key;
    do {
      words_.skip_space();
      const bool closed = depth_ > 0 && words_.peek() == (in_object() ? '}' : ']') && open_[depth_ - 1].last == 0;
      if (!closed) {
        if (depth_ > 0 && in_object()) LINNET_TRY(read_key(&key));
        bool entered = false;
        LINNET_TRY(read_value(key, &entered));
        if (entered) continue;
      }
      LINNET_TRY(close_containers());
    } while (depth_ > 0);
    words_.skip_space();
    return words_.at_end() ? Status() : words_.fail("the end");
  }

 private:
  struct Open {
    uint32_t value, last;  // the container, and its latest child; 0: none yet
  };

  bool in_object() const { return json_.values_[open_[depth_ - 1].value].kind_ == JsonKind::object; }

  // After a value: the commas and ends that follow it, up to where the next value is due.
  Status close_containers() {
    while (depth_ > 0) {
      words_.skip_space();
      const bool object = in_object();
      if (words_.peek() == ',' && open_[depth_ - 1].last != 0) {
        words_.skip();
        words_.skip_space();
        return words_.peek() == '}' || words_.peek() == ']' ? words_.fail(object ? "a member's name" : "a value") : Status();
      }
      if (words_.peek() != (object ? '}' : ']')) return words_.fail(object ? "',' or '}'" : "',' or ']'");
      words_.skip();
      --depth_;
      if (object) LINNET_TRY(merge_members(&json_.values_[open_[depth_].value]));
    }
    return {};
  }

  Status read_key(std::string_view* key) {
    if (words_.peek() != '"') return words_.fail("a member's name");
    LINNET_TRY(words_.read_string(key));
    words_.skip_space();
    if (words_.peek() != ':') return words_.fail("':'");
    words_.skip();
    words_.skip_space();
    return {};
  }

  Status read_value(std::string_view key, bool* entered) {
    if (json_.values_.size() == limits::kJsonValues)
      return Status::error(Code::invalid_argument, "JSON with more than %u values", limits::kJsonValues);
    JsonValue value;
    const char c = words_.peek();
    *entered = c == '{' || c == '[';
    if (*entered) {
      if (depth_ == limits::kJsonNesting) return fail_nesting();
      value.kind_ = c == '{' ? JsonKind::object : JsonKind::array;
      words_.skip();
    } else if (c == '"') {
      value.kind_ = JsonKind::string;
      LINNET_TRY(words_.read_string(&value.text_));
    } else if (c == '-' || (c >= '0' && c <= '9')) {
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
    const bool yes = words_.take("true");
    if (!yes && !words_.take("false")) return words_.take("null") ? Status() : words_.fail("a value");
    value->kind_ = JsonKind::boolean;
    value->integer_ = yes;
    return {};
  }

  Status read_number(JsonValue* value) {
    JsonNumber number;
    LINNET_TRY(words_.read_number(&number));
    value->text_ = number.text;
    value->kind_ = number.whole ? JsonKind::integer : JsonKind::number;
    if (number.whole)
      value->integer_ = number.integer;
    else
      value->number_ = number.real;
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
  JsonText words_;
  Json& json_;
  Array<JsonValue*> members_;
  Open open_[limits::kJsonNesting];
  uint32_t depth_ = 0;
};

Result<Json> Json::parse(std::string_view text) noexcept {
  Json json;
  LINNET_TRY(JsonParser(text, &json).parse());
  return json;
}

}  // namespace linnet::core
