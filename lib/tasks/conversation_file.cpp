// A conversation in a file: its messages as JSON, and beside it the state of the sequence that has read them, bound to the model.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "core/json.h"
#include "core/platform.h"
#include "core/try.h"
#include "tasks/conversation_impl.h"
#include "text/unicode.h"

namespace linnet {
namespace {

constexpr uint64_t kMostBytes = 64u << 20;
constexpr int64_t kVersion = 1;

Status put(Text* out, std::string_view text) { return out->append(text.data(), text.size()); }

// As a JSON string: quotes, backslashes and control characters are escaped. Each invalid byte is U+FFFD, as the model reads it.
Status put_string(Text* out, std::string_view text) {
  LINNET_TRY(put(out, "\""));
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    const text::Point point = text::decode(text, at);
    const size_t end = at + point.length;
    if (!point.valid || point.code < 0x20 || point.code == '"' || point.code == '\\') {
      LINNET_TRY(put(out, {text.data() + plain, at - plain}));
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(point.code));
      for (uint32_t i = 0; i < (point.valid ? 1 : point.length); ++i) LINNET_TRY(put(out, escaped));
      plain = end;
    }
    at = end;
  }
  LINNET_TRY(put(out, {text.data() + plain, text.size() - plain}));
  return put(out, "\"");
}

struct Hash {
  explicit Hash(const Model& model) { std::snprintf(text, sizeof text, "%016" PRIx64, model.hash()); }
  char text[17];
};

struct StatePath {
  Status set(const char* path) {
    LINNET_TRY(put(&text, path));
    return text.append(".state", 7);  // with its zero
  }
  Text text;
};

Status write_text(const Conversation::Impl& impl, size_t held, Text* out) {
  LINNET_TRY(put(out, "{\"linnet_conversation\": 1,\n \"model\": \""));
  LINNET_TRY(put(out, Hash(impl.model).text));
  LINNET_TRY(put(out, "\",\n \"messages\": ["));
  for (size_t i = 0; i < impl.messages.size(); ++i) {
    LINNET_TRY(put(out, i ? ",\n  {\"role\": " : "\n  {\"role\": "));
    LINNET_TRY(put_string(out, view(impl.messages[i].role)));
    LINNET_TRY(put(out, ", \"content\": "));
    LINNET_TRY(put_string(out, view(impl.messages[i].content)));
    LINNET_TRY(put(out, "}"));
  }
  LINNET_TRY(put(out, "],\n \"ids\": ["));
  for (size_t i = 0; i < held; ++i) {
    char number[16];
    std::snprintf(number, sizeof number, i ? ",%d" : "%d", impl.read[i]);
    LINNET_TRY(put(out, number));
  }
  return put(out, "]}\n");
}

struct Loaded {
  core::Array<Conversation::Impl::Message> messages;
  Ids ids;
};

Status read_all(const char* path, core::Array<char>* bytes) {
  LINNET_ASSIGN(core::File file, core::File::open(path));
  LINNET_ASSIGN(uint64_t length, file.length());
  if (length > kMostBytes) return Status::error(Code::corrupt, "%s: it is larger than a conversation can be", path);
  LINNET_TRY(bytes->resize(static_cast<size_t>(length)));
  return file.read(0, bytes->data(), bytes->size());
}

Status damaged(const char* path) { return Status::error(Code::corrupt, "%s: not a saved conversation, or damaged", path); }

Status parse(const char* path, const Model& model, Loaded* loaded) {
  core::Array<char> bytes;
  LINNET_TRY(read_all(path, &bytes));
  Result<core::Json> json = core::Json::parse({bytes.data(), bytes.size()});
  if (!json.ok()) return Status::error(Code::corrupt, "%s: %s", path, json.status().message());
  const core::JsonValue& root = json->root();
  const core::JsonValue *version = root.find("linnet_conversation"), *hash = root.find("model"), *messages = root.find("messages"),
                        *ids = root.find("ids");
  if (!version || !hash || !messages || !ids || messages->kind() != core::JsonKind::array || ids->kind() != core::JsonKind::array)
    return damaged(path);
  if (version->integer() != kVersion) return Status::error(Code::unsupported, "%s: a conversation of another version", path);
  if (hash->text() != Hash(model).text) return Status::error(Code::mismatch, "%s: it was saved with another model", path);
  for (const core::JsonValue& message : *messages) {
    const core::JsonValue *role = message.find("role"), *content = message.find("content");
    if (!role || !content || role->kind() != core::JsonKind::string || content->kind() != core::JsonKind::string) return damaged(path);
    LINNET_TRY(tasks::add_message(&loaded->messages, role->text(), content->text()));
  }
  for (const core::JsonValue& number : *ids) {
    if (number.kind() != core::JsonKind::integer || number.integer() < 0 || number.integer() > INT32_MAX) return damaged(path);
    const int32_t id = static_cast<int32_t>(number.integer());
    LINNET_TRY(loaded->ids.append(&id, 1));
  }
  return {};
}

Status write_file(const Conversation::Impl& impl, size_t held, const char* path) {
  Text text;
  LINNET_TRY(write_text(impl, held, &text));
  LINNET_ASSIGN(core::AtomicFile file, core::AtomicFile::create(path));
  LINNET_TRY(file.write(text.data(), text.size()));
  return file.commit();
}

}  // namespace

Status Conversation::save(const char* path) const noexcept {
  if (!path || !*path) return Status::error(Code::invalid_argument, "no path was given");
  const Impl& impl = *impl_;
  const int64_t sequence = impl.held ? impl.cache->find({impl.read.data(), impl.held}) : -1;
  // First without a state: whatever stops this halfway, no file speaks of the state of another conversation.
  LINNET_TRY(write_file(impl, 0, path));
  if (sequence < 0) return {};
  StatePath state;
  LINNET_TRY(state.set(path));
  LINNET_TRY(impl.session.save(static_cast<SequenceId>(sequence), state.text.data()));
  return write_file(impl, impl.held, path);
}

Status Conversation::load(const char* path) noexcept {
  if (!path || !*path) return Status::error(Code::invalid_argument, "no path was given");
  Impl& impl = *impl_;
  Loaded loaded;
  LINNET_TRY(parse(path, impl.model, &loaded));
  if (loaded.ids.size() > 0) {
    StatePath state;
    LINNET_TRY(state.set(path));
    impl.cache->clear();
    LINNET_ASSIGN(SequenceId sequence, impl.session.restore(state.text.data()));
    Status adopted = impl.cache->adopt(sequence, {loaded.ids.data(), loaded.ids.size()});
    if (!adopted.ok()) {
      (void)impl.session.remove(sequence);  // it is alive
      return Status::error(Code::corrupt, "%s: it does not belong to its state (%s)", path, adopted.message());
    }
  }
  impl.held = 0;
  impl.read.clear();
  LINNET_TRY(impl.read.append(loaded.ids.data(), loaded.ids.size()));
  impl.held = loaded.ids.size();
  impl.messages.swap(loaded.messages);
  return {};
}

}  // namespace linnet
