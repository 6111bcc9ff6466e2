// Memory that runs out at the n-th allocation, for every n: an error, nothing lost, and the next attempt succeeds.
#include "core/failing_memory.h"
#include "text/chat/rendered.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

// Statements, macros, captures, lists that are collected, texts that fill more than one chunk of memory.
constexpr std::string_view kSource =
    "{% macro m(a) %}<{{ a }}>{% endmacro %}{% set ns = namespace(x='') %}{% set t %}{{ m(s) }}{% endset %}"
    "{% for m in messages %}{{ bos_token }}{{ m.role|upper }}{{ m.content.split() if m.content else '' }}{{ m|tojson }}{% endfor %}"
    "{% for i in range(50) %}{% set ns.x = ns.x + 'some words' * 100 %}{% endfor %}{{ ns.x|length }}{{ tools|tojson(indent=4) }}"
    "{{ lst|sort|select('odd')|list }}{{ '%s' % s }}{{ t }}";

Status use() {
  constexpr ChatToken kTokens[] = {{"bos_token", "<BOS>"}, {"eos_token", "<EOS>"}};
  Result<ChatTemplate> chat = ChatTemplate::compile(kSource, kTokens);
  if (!chat.ok()) return std::move(chat).status();
  ChatText text;
  return chat->render(full_request(), &text);
}

}  // namespace

TEST_CASE("memory that runs out anywhere in compiling and rendering is an error, and nothing is lost") {
  REQUIRE(use().ok());
  const size_t failures = fail_every_allocation([] { return use().code(); });
  CHECK(failures > 30);
}
