// Memory that runs out at the n-th allocation, for every n: an error, nothing lost, and the next attempt succeeds.
#include <cstdlib>

#include "core/memory.h"
#include "text/chat/rendered.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

size_t g_count = 0, g_fail_at = 0, g_alive = 0;

void* counted_allocate(size_t bytes) {
  if (++g_count == g_fail_at) return nullptr;
  ++g_alive;
  return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
}
void counted_release(void* memory) {
  if (memory) --g_alive;
  std::free(memory);
}
constexpr core::AllocationHooks kHooks{counted_allocate, counted_release};

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
  size_t failures = 0;
  for (bool reached = true; reached; ++failures) {
    core::set_allocation_hooks(&kHooks);
    g_count = g_alive = 0, g_fail_at = failures + 1;
    bool done;
    Code code;
    {
      const Status status = use();
      done = status.ok();
      code = status.code();
    }
    reached = g_count >= g_fail_at;
    const size_t left = g_alive;
    core::set_allocation_hooks(nullptr);
    CHECK(left == 0);
    CHECK(done == !reached);
    if (reached) CHECK(code == Code::out_of_memory);
  }
  CHECK(failures > 30);
}
