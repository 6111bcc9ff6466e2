#include <new>

#include "core/limits.h"
#include "format/model_file.h"
#include "linnet/chat.h"
#include "linnet_generated.h"
#include "text/chat/evaluator.h"

namespace linnet {
namespace {

using text::Bytes;
using text::chat::Evaluator;
using text::chat::Kind;
using text::chat::ListKind;
using text::chat::Syntax;
using text::chat::Value;

std::string_view view_of(const flatbuffers::String* text) {
  return text ? std::string_view(text->c_str(), text->size()) : std::string_view();
}

// A copy in which each invalid byte sequence has become U+FFFD. Views of it end with the next change of the arena's owner.
Status define_text(Evaluator& evaluator, std::string_view text, bool data, Value* result) {
  const size_t begin = evaluator.sink().size();
  for (size_t at = 0; at < text.size();) {
    const text::Point point = text::decode(text, at);
    if (point.valid)
      LINNET_TRY(evaluator.sink().append(std::string_view(text.data() + at, point.length), data));
    else
      for (uint32_t i = 0; i < point.length; ++i) LINNET_TRY(evaluator.sink().append(text::kReplacementBytes, data));
    at += point.length;
  }
  return evaluator.take_string(begin, result);
}

Status messages_of(Evaluator& evaluator, std::span<const ChatMessage> messages, Value* result) {
  LINNET_TRY(evaluator.new_list(ListKind::list, messages.size(), true, result));
  for (size_t i = 0; i < messages.size(); ++i) {
    Value key, value, &message = result->list->items[i];
    LINNET_TRY(evaluator.new_dict(2, true, Kind::dict, &message));
    LINNET_TRY(define_text(evaluator, "role", false, &key));
    LINNET_TRY(define_text(evaluator, messages[i].role, true, &value));
    LINNET_TRY(evaluator.insert(message.dict, key, value));
    LINNET_TRY(define_text(evaluator, "content", false, &key));
    LINNET_TRY(define_text(evaluator, messages[i].content, true, &value));
    LINNET_TRY(evaluator.insert(message.dict, key, value));
  }
  return {};
}

// One JSON text of a request, which the values made of it look into.
class Part {
 public:
  Status read(const char* what, std::string_view text, core::JsonKind kind) noexcept {
    if (text.empty()) return {};
    Result<core::Json> parsed = core::Json::parse(text);
    if (!parsed.ok()) return Status::error(parsed.status().code(), "%s: %s", what, parsed.status().message());
    json_ = std::move(*parsed);
    given_ = true;
    if (json_.root().kind() == kind || json_.root().kind() == core::JsonKind::null) return {};
    return Status::error(Code::invalid_argument, "%s: expected %s", what, kind == core::JsonKind::object ? "an object" : "a list");
  }
  bool is_object() const noexcept { return given_ && json_.root().kind() == core::JsonKind::object; }
  const core::JsonValue& root() const noexcept { return json_.root(); }
  /// none where it was not given: the reference always defines its variables.
  Status value(Evaluator& evaluator, Value* result) const noexcept {
    *result = Value::none();
    return given_ ? evaluator.from_json(json_.root(), result) : Status();
  }

 private:
  core::Json json_;
  bool given_ = false;
};

struct Parts {
  Part messages, tools, documents, variables;
};

Status read_parts(const ChatRequest& request, Parts* parts) {
  LINNET_TRY(parts->messages.read("messages", request.messages_json, core::JsonKind::array));
  LINNET_TRY(parts->tools.read("tools", request.tools_json, core::JsonKind::array));
  LINNET_TRY(parts->documents.read("documents", request.documents_json, core::JsonKind::array));
  return parts->variables.read("variables", request.variables_json, core::JsonKind::object);
}

Status define_all(const ChatRequest& request, const Parts& parts, Evaluator& evaluator) {
  Value value;
  LINNET_TRY(request.messages_json.empty() ? messages_of(evaluator, request.messages, &value) : parts.messages.value(evaluator, &value));
  LINNET_TRY(evaluator.define("messages", value));
  LINNET_TRY(parts.tools.value(evaluator, &value));
  LINNET_TRY(evaluator.define("tools", value));
  LINNET_TRY(parts.documents.value(evaluator, &value));
  LINNET_TRY(evaluator.define("documents", value));
  LINNET_TRY(evaluator.define("add_generation_prompt", Value::of_bool(request.add_generation_prompt)));
  if (!parts.variables.is_object()) return {};
  for (const core::JsonValue& variable : parts.variables.root()) {
    LINNET_TRY(evaluator.from_json(variable, &value));
    LINNET_TRY(evaluator.define(variable.key(), value));
  }
  return {};
}

}  // namespace

struct ChatTemplate::Impl {
  struct Token {
    size_t name_end, end;  // in `texts`; each begins where the one before ends
  };
  Syntax syntax;
  Bytes texts;
  core::Array<Token> tokens;

  Status add(std::string_view name, std::string_view text) noexcept {
    LINNET_TRY(texts.append(name));
    const size_t name_end = texts.size();
    LINNET_TRY(texts.append(text));
    return tokens.push({name_end, texts.size()});
  }
  Status define(Evaluator& evaluator) const noexcept {
    size_t begin = 0;
    for (const Token& token : tokens) {
      Value value;
      const std::string_view name(texts.data() + begin, token.name_end - begin),
          text(texts.data() + token.name_end, token.end - token.name_end);
      LINNET_TRY(define_text(evaluator, text, false, &value));
      LINNET_TRY(evaluator.define(name, value));
      begin = token.end;
    }
    return {};
  }
  /// As the file lists them; where it lists none, by the ids of its generation defaults.
  Status add_tokens_of(const Model& model) noexcept {
    const auto* listed = model.file().root().special_tokens();
    for (uint32_t i = 0; listed && i < listed->size(); ++i)
      LINNET_TRY(add(view_of(listed->Get(i)->key()), view_of(listed->Get(i)->value())));
    if (listed && listed->size() > 0) return {};
    Result<Tokenizer> tokenizer = Tokenizer::create(model);
    if (!tokenizer.ok()) return tokenizer.status().code() == Code::not_found ? Status() : std::move(tokenizer).status();
    const GenerationDefaults defaults = model.generation();
    if (defaults.bos >= 0) LINNET_TRY(add("bos_token", tokenizer->piece(defaults.bos)));
    if (!defaults.eos.empty()) LINNET_TRY(add("eos_token", tokenizer->piece(defaults.eos[0])));
    return defaults.pad >= 0 ? add("pad_token", tokenizer->piece(defaults.pad)) : Status();
  }
};

Result<ChatTemplate> ChatTemplate::compile(std::string_view text, std::span<const ChatToken> tokens) noexcept {
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a chat template");
  ChatTemplate compiled(new (memory) Impl());
  LINNET_TRY(text::chat::parse(text, &compiled.impl_->syntax));
  for (const ChatToken& token : tokens) LINNET_TRY(compiled.impl_->add(token.name, token.text));
  return compiled;
}

Result<ChatTemplate> ChatTemplate::create(const Model& model, std::string_view name) noexcept {
  const std::string_view text = model.chat_template(name);
  if (text.empty()) {
    if (name.empty()) return Status::error(Code::not_found, "the model has no chat template");
    return Status::error(Code::not_found, "the model has no chat template '%.*s'", static_cast<int>(name.size() < 100 ? name.size() : 100),
                         name.data());
  }
  LINNET_ASSIGN(ChatTemplate compiled, compile(text));
  LINNET_TRY(compiled.impl_->add_tokens_of(model));
  return compiled;
}

ChatTemplate::ChatTemplate(ChatTemplate&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

ChatTemplate& ChatTemplate::operator=(ChatTemplate&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

ChatTemplate::~ChatTemplate() {
  if (!impl_) return;
  impl_->~Impl();
  core::release(impl_);
}

Status ChatTemplate::render(const ChatRequest& request, ChatText* out) const noexcept {
  out->clear();
  Parts parts;
  LINNET_TRY(read_parts(request, &parts));
  Evaluator evaluator(impl_->syntax, request.time);
  LINNET_TRY(impl_->define(evaluator));
  LINNET_TRY(define_all(request, parts, evaluator));
  LINNET_TRY(evaluator.run());
  const std::string_view text = evaluator.sink().text(), marks = evaluator.sink().marks();
  LINNET_TRY(out->text_.append(text.data(), text.size()));
  for (size_t begin = 0, end; begin < text.size(); begin = end) {
    end = begin + 1;
    while (end < text.size() && marks[end] == marks[begin]) ++end;
    const TextSpan span{begin, end, marks[begin] != 0};
    LINNET_TRY(out->spans_.append(&span, 1));
  }
  return {};
}

}  // namespace linnet
