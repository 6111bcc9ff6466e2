// What an application sees: requests, special tokens, spans, errors.
#include "text/chat/rendered.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

ChatTemplate compiled(std::string_view source, std::span<const ChatToken> tokens = {}) {
  Result<ChatTemplate> chat = ChatTemplate::compile(source, tokens);
  REQUIRE_MESSAGE(chat.ok(), chat.status().message());
  return std::move(*chat);
}

// The text with what came from the request in brackets.
std::string marked(std::string_view source, const ChatRequest& request = full_request()) {
  constexpr ChatToken kTokens[] = {{"bos_token", "<BOS>"}};
  ChatText text;
  const Status status = compiled(source, kTokens).render(request, &text);
  REQUIRE_MESSAGE(status.ok(), status.message());
  std::string all;
  size_t end = 0;
  for (const TextSpan& span : text.spans()) {
    CHECK(span.begin == end);
    CHECK(span.end > span.begin);
    end = span.end;
    const std::string part(text.text().substr(span.begin, span.end - span.begin));
    all += span.data ? "[" + part + "]" : part;
  }
  CHECK(end == text.text().size());
  return all;
}

}  // namespace

TEST_CASE("messages come as structs or as JSON") {
  const ChatMessage messages[] = {{"user", "a"}, {"assistant", "b\xFF\xE4\xB8"}};
  ChatRequest request;
  request.messages = messages;
  const char* source =
      "{% for m in messages %}{{ m.role }}:{{ m['content'] }};{% endfor %}{{ add_generation_prompt }}{{ tools }}{{ documents }}";
  CHECK(rendered(source, request) == "user:a;assistant:b\uFFFD\uFFFD\uFFFD;TrueNoneNone");
  request.messages_json = R"([{"role": "user", "content": "c"}])";
  request.documents_json = R"([{"title": "t"}])";
  request.add_generation_prompt = false;
  CHECK(rendered(source, request) == "user:c;FalseNone[{'title': 't'}]");
}

TEST_CASE("variables of the caller count before special tokens, and what nobody gave is undefined") {
  ChatRequest request;
  request.variables_json = R"({"enable_thinking": false, "bos_token": "X"})";
  CHECK(rendered("{{ enable_thinking }}{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}", request) == "FalseX<EOS>False");
}

TEST_CASE("the origin of every byte is known, whatever was done to it") {
  ChatRequest with_form = full_request();
  with_form.variables_json = R"({"form": "%H<|x|>%Y"})";
  CHECK(marked("<u>{{ messages[0].role }}</u>") == "<u>[system]</u>");
  CHECK(marked("{{ bos_token + s + 'x' ~ s }}") == "<BOS>[abc]x[abc]");
  CHECK(marked("{{ ('<' + s + '>')[1:-1] }}{{ ('<' + s + '>')[::-1] }}") == "[abc]>[cba]<");
  CHECK(marked("{{ ('  ' ~ messages[0].content ~ '!')|trim }}") == "[Be <b>brief</b>. ]!");
  CHECK(marked("{{ messages[0].content.strip().upper() }}") == "[BE <B>BRIEF</B>.]");
  CHECK(marked("{{ ('x' ~ s)|upper }}{{ ('x' ~ s).title() }}{{ ('x' ~ s)|capitalize }}") == "X[ABC]X[abc]X[abc]");
  CHECK(marked("{{ s.split('b')|join('-') }}{{ ('a-' ~ s).split('-')[1] }}") == "[a]-[cabc]");
  CHECK(marked("{{ s.replace('b', '<b>') }}{{ 'xbx'.replace('b', s) }}") == "[a]<b>[c]x[abc]x");
  CHECK(marked("{{ ['x', s]|join('+') }}{{ ','.join([s, 'y']) }}") == "x+[abcabc],y");
  CHECK(marked("{{ '%s=%d' % (s, n) }}{{ '{}!{}'.format(s, 'q') }}") == "[abc]=[3abc]!q");
  CHECK(marked("{{ ['t', s]|tojson }}{{ words|tojson }}") == "[\"t\", [\"abc\"]][[\"b\", \"A\", \"c\", \"a\"]]");
  CHECK(marked("{{ ['t', s] }}{{ {'k': s} }}") == "['t', ['abc']]{'k': ['abc']}");
  CHECK(marked("{{ n }}{{ n + 1 }}{{ 1 + 1 }}{{ flag }}{{ lst|length }}") == "[34]2[False]3");
  CHECK(marked("{% set x %}a{{ s }}{% endset %}{{ x }}{% filter upper %}z{{ s }}{% endfilter %}") == "a[abc]Z[ABC]");
  CHECK(marked("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(s) ~ m('t') }}") == "<[abc]><t>");
  CHECK(marked("{% set ns = namespace(t='') %}{% for w in words %}{% set ns.t = ns.t + w + ',' %}{% endfor %}{{ ns.t }}") ==
        "[b],[A],[c],[a],");
  CHECK(marked("{{ (s ~ '\\n' ~ s)|indent(2) }}{{ s|e }}{{ '<'|e }}{{ s.center(5, '*') }}") == "[abc]\n  [abcabc]&lt;*[abc]*");
  CHECK(marked("{% for c in 'x' ~ s %}{{ c }}.{% endfor %}") == "x.[a].[b].[c].");
  CHECK(marked("{{ txt|indent(1) }}{{ 'a\\nb'|indent(1) }}") == "[a\n\n] [  b\n] [c\n]a\n b");
  CHECK(marked("{{ strftime_now('<%d>' ~ form ~ '%F') }}", with_form) == "<15>[12<|x|>2025]2025-01-15");
  CHECK(marked("{{ ('x<' ~ s)|truncate(2, true, '', 0) ~ ('x/ ' ~ s)|urlencode }}") == "x<x/%20[abc]");
  CHECK(marked("{{ words|batch(2)|first|join }}{{ (s ~ 'x')|list|slice(2)|map('join')|list|join('-') }}") == "[bAab]-[c]x");
}

TEST_CASE("the sentence of raise_exception reaches the caller") {
  CHECK(rendered("a\n{{ raise_exception('Roles must ' ~ 'alternate') }}") == "error: chat template, line 2: Roles must alternate");
}

TEST_CASE("what is wrong is named with its line") {
  CHECK(rendered("a\n\n{{ 'x'|frobnicate }}") == "error: chat template, line 3: the filter 'frobnicate' is not supported");
  CHECK(rendered("\n{% trans %}") == "error: chat template, line 2: the statement 'trans' is not supported");
  CHECK(rendered("{{ 1 is prime }}") == "error: chat template, line 1: the test 'prime' is not supported");
  CHECK(rendered("{{ s.translate(1) }}") == "error: chat template, line 1: the method 'translate' is not supported");
  CHECK(rendered("\n{% if x %}\n") == "error: chat template, line 2: {% if %} is never closed");
  CHECK(rendered("\n\n{{ a.b }}") == "error: chat template, line 3: 'a' is undefined");
  CHECK(rendered("{{ d.q.r }}") == "error: chat template, line 1: a dict has no attribute 'q'");
  CHECK(rendered("\xC3(") == "error: chat template, line 1: the text is not valid UTF-8");
  CHECK(ChatTemplate::compile("{{ 'x'|frobnicate }}").status().code() == Code::unsupported);
  CHECK(ChatTemplate::compile("{{").status().code() == Code::corrupt);
}

TEST_CASE("JSON that is none is refused with the part's name and its place") {
  ChatRequest request;
  request.messages_json = "[{]";
  CHECK(rendered("x", request) == "error: messages: JSON, line 1, column 3: expected a member's name");
  request.messages_json = "{}";
  CHECK(rendered("x", request) == "error: messages: expected a list");
  request.messages_json = "[]";
  request.variables_json = "[]";
  CHECK(rendered("x", request) == "error: variables: expected an object");
}

TEST_CASE("the time is the request's, or the system's") {
  const DateTime time{2024, 2, 29, 7, 5, 9};
  ChatRequest request;
  request.time = &time;
  CHECK(rendered("{{ strftime_now('%d %b %Y %A %j %H:%M:%S %I %p %-d %e %y %%') }}", request) ==
        "29 Feb 2024 Thursday 060 07:05:09 07 AM 29 29 24 %");
  CHECK(rendered("{{ strftime_now('%Q') }}", request) == "error: chat template: a time's format with %Q is not supported");
  request.time = nullptr;
  CHECK(rendered("{{ strftime_now('%Y')|int > 2023 }}", request) == "True");
  const DateTime wrong{2024, 13, 1, 0, 0, 0};
  request.time = &wrong;
  CHECK(rendered("{{ strftime_now('%Y') }}", request).rfind("error: ", 0) == 0);
}

TEST_CASE("a template is used again and again, and every rendering is alone") {
  const ChatTemplate chat = compiled("{% set x = x|default(0) + 1 %}{{ x }}{{ messages|length }}");
  ChatText text;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(chat.render(full_request(), &text).ok());
    CHECK(text.text() == "14");
    CHECK(text.spans().size() == 1);
  }
}
