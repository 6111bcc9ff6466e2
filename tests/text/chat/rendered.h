// Short ways to render templates.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "linnet/chat.h"

namespace linnet::tests {

/// The conversation that the tables of this folder speak of.
inline constexpr std::string_view kMessages =
    R"([{"role": "system", "content": " Be <b>brief</b>. "}, {"role": "user", "content": "Hi Äö, straße"},)"
    R"( {"role": "assistant", "content": "x</think>y", "tool_calls": [{"id": "1", "function": {"name": "f",)"
    R"( "arguments": {"a": 1, "b": [1.5, null, true], "c": "it's"}}}]}, {"role": "tool", "content": null}])";
inline constexpr std::string_view kTools =
    R"([{"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties":)"
    R"( {"z": {"type": "string", "enum": ["a", "b"]}, "A": {"type": "integer"}}, "required": ["z"]}}}])";
inline constexpr std::string_view kVariables =
    R"({"flag": false, "n": 3, "f": 2.5, "s": "abc", "lst": [3, 1, 2], "e": "", "txt": "a\n\n  b\nc\n", "words": ["b", "A", "c", "a"],)"
    R"( "d": {"b": 1, "a": {"x": "y"}, "items": 5, "C": 2}, "nested": [[1, 2], [3, [4]]], "big": 1e20, "small": 1e-7, "neg": -7})";

inline ChatRequest full_request() {
  static const DateTime time{2025, 1, 15, 12, 0, 0};
  ChatRequest request;
  request.messages_json = kMessages;
  request.tools_json = kTools;
  request.variables_json = kVariables;
  request.time = &time;
  return request;
}

/// The text, or "error: " and the message.
inline std::string rendered(std::string_view source, const ChatRequest& request = full_request()) {
  constexpr ChatToken kTokens[] = {{"bos_token", "<BOS>"}, {"eos_token", "<EOS>"}};
  const Result<ChatTemplate> compiled = ChatTemplate::compile(source, kTokens);
  if (!compiled.ok()) return std::string("error: ") + compiled.status().message();
  ChatText text;
  const Status status = compiled->render(request, &text);
  return status.ok() ? std::string(text.text()) : std::string("error: ") + status.message();
}

struct Row {
  const char *source, *text;  // text null: an error
};

/// What the rows' templates render; expressions stand without their braces.
template <size_t count>
void check_rows(const Row (&rows)[count], bool expressions) {
  for (const Row& row : rows) {
    const std::string source = expressions ? "{{ " + std::string(row.source) + " }}" : row.source, text = rendered(source);
    CAPTURE(source);
    if (row.text)
      CHECK(text == row.text);
    else
      CHECK_MESSAGE(text.rfind("error: ", 0) == 0, text);
  }
}

}  // namespace linnet::tests
