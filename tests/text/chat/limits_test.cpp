// Templates made to harm: each is an error that names the limit, and takes no more time or memory than that.
#include "core/limits.h"

#include "text/chat/rendered.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

std::string repeated(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

bool has(const std::string& text, const char* part) {
  INFO(text.substr(0, 200));
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("nesting in the text of a template has a limit") {
  CHECK(has(rendered("{{ " + repeated("[", 100) + repeated("]", 100) + " }}"), "nested deeper than 64"));
  CHECK(has(rendered("{{ " + repeated("(", 100000)), "nested too deep"));
  CHECK(has(rendered("{{ " + repeated("not ", 100000) + "x }}"), "nested deeper than 64"));
  CHECK(has(rendered("{{ " + repeated("- ", 100000) + "1 }}"), "nested deeper than 64"));
  CHECK(has(rendered("{{ " + repeated("1 if 1 else ", 50000) + "1 }}"), "nested deeper than 64"));
  CHECK(has(rendered(repeated("{% if x %}", 1000)), "nested deeper than 64"));
  CHECK(has(rendered("{{ x" + repeated("|upper", 1000) + " }}"), "nested deeper than 400"));
  CHECK(has(rendered("{{ d" + repeated(".a", 1000) + " }}"), "nested deeper than 400"));
}

TEST_CASE("long rows of operands and branches are no nesting") {
  CHECK(rendered("{{ 1" + repeated(" + 1", 5000) + " }}") == "5001");
  CHECK(rendered("{{ 'a'" + repeated(" ~ 'a'", 1000) + " }}") == repeated("a", 1001));
  CHECK(rendered("{% if 0 %}" + repeated("{% elif 0 %}", 5000) + "{% else %}x{% endif %}") == "x");
  CHECK(rendered("{{ '" + std::string(500000, 'y') + "'|length }}") == "500000");
}

TEST_CASE("size, parts and names have a limit") {
  CHECK(has(rendered(std::string(core::limits::kTemplateBytes + 1, 'x')), "expected at most 1048576"));
  CHECK(has(rendered("{{ [" + repeated("1,", 200000) + "] }}"), "more than 131072 parts"));
  std::string names;
  for (int i = 0; i < 2000; ++i) names += "{{ x" + std::to_string(i) + " }}";
  CHECK(has(rendered(names), "more than 1024 names"));
}

TEST_CASE("loops end") {
  CHECK(has(rendered("{% for i in range(10**9) %}{% endfor %}"), "more than 100000 numbers"));
  CHECK(has(rendered("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"), "more than 16777216 steps"));
  CHECK(has(rendered("{% for i in range(100000) %}{{ lst|map('string')|list|sort|join }}{% endfor %}"), "more than"));
  CHECK(has(rendered("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), "nested deeper than 400"));
  CHECK(has(rendered("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}"), "nested deeper than 400"));
  CHECK(has(rendered("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"), "nested deeper than 400"));
}

TEST_CASE("texts and lists that double end") {
  const std::string loop = "{% set ns = namespace(x='abcdefgh', l=[1]) %}{% for i in range(1000) %}";
  CHECK(has(rendered(loop + "{% set ns.x = ns.x + ns.x %}{% endfor %}"), "bytes of memory"));
  CHECK(has(rendered(loop + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}"), "bytes of memory"));
  CHECK(has(rendered(loop + "{% set ns.l = ns.l + ns.l %}{% endfor %}"), "bytes of memory"));
  CHECK(has(rendered(loop + "{% set ns.x = ns.x.replace('a', ns.x) %}{% endfor %}"), "more than"));
  CHECK(has(rendered(loop + "{% set ns.x = [ns.x, ns.x]|tojson %}{% endfor %}"), "more than"));
  CHECK(has(rendered(loop + "{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}"), "nested deeper than 400"));
  CHECK(has(rendered("{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}"),
            "more than"));
  CHECK(has(rendered(loop + "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}"), "nested deeper than 400"));
  CHECK(has(rendered(loop + "{% set ns.l = [ns.l] %}{% endfor %}{% set a = ns.l %}{{ a == [a] }}"), "nested deeper than 400"));
  CHECK(has(rendered("{{ 'x' * 10**12 }}"), "repeated too often"));
  CHECK(has(rendered("{{ [1] * 10**9 }}"), "repeated too often"));
  CHECK(has(rendered("{{ 'a'.ljust(10**15) }}"), "filled up to more than"));
  CHECK(has(rendered("{% for i in range(100000) %}{{ txt * 1000 }}{% endfor %}"), "renders more than 16777216 bytes"));
  CHECK(rendered("{{ '%999999999d' % 1 }}{{ '{:999999999}'.format(1) }}").size() == 20000);
}

TEST_CASE("a text that grows in a namespace costs what it is long, not its square") {
  const std::string source =
      "{% set ns = namespace(x='') %}{% for i in range(50000) %}{% set ns.x = ns.x + 'some words ' + s %}{% endfor %}{{ ns.x|length }}";
  CHECK(rendered(source) == "700000");
}

TEST_CASE("searching texts that are alike for long is counted") {
  const std::string source = "{% set a = 'a' * 4000000 %}{% set b = 'a' * 2000000 + 'b' %}{{ b in a }}";
  CHECK(has(rendered(source), "more than 16777216 steps"));
  CHECK(has(rendered("{{ ('a' * 1000000).rfind('b' + 'a' * 100000) }}"), "more than 16777216 steps"));
}

TEST_CASE("comparing texts that are alike for long is counted, wherever it happens") {
  const std::string alike = "{% set a = 'x' * 4000000 %}{% set b = a ~ 'y' %}{% set c = a ~ 'z' %}";
  for (const char* question : {"b == c", "c in [b]", "c in {b: 1}", "{b: 1}.get(c)", "[b, c]|unique|list|length", "{b: 1} == {c: 1}"})
    CHECK(has(rendered(alike + "{% for i in range(1000) %}{{ " + question + " }}{% endfor %}"), "more than 16777216 steps"));
  CHECK(rendered(alike + "{{ b == b }}{{ b == c }}{{ c in {b: 1, c: 2} }}") == "TrueFalseTrue");
}

TEST_CASE("numbers do not overflow") {
  CHECK(has(rendered("{{ 9223372036854775807 * 2 }}"), "64 bits"));
  CHECK(has(rendered("{{ (-9223372036854775807 - 1) // -1 }}"), "64 bits"));
  CHECK(has(rendered("{{ -(-9223372036854775807 - 1) }}"), "64 bits"));
  CHECK(has(rendered("{{ (-9223372036854775807 - 1)|abs }}"), "64 bits"));
  CHECK(has(rendered("{{ 2 ** 9223372036854775807 }}"), "64 bits"));
  CHECK(rendered("{{ (-1) ** 9223372036854775807 }}") == "-1");
  CHECK(rendered("{{ lst[9223372036854775807] }}{{ lst[-9223372036854775807 - 1] }}") == "");
  CHECK(rendered("{{ lst[-9223372036854775807 - 1:9223372036854775807:9223372036854775807] }}") == "[3]");
  CHECK(rendered("{{ lst[::-9223372036854775807 - 1] }}{{ s[::-9223372036854775807 - 1] }}") == "[2]c");
  CHECK(rendered("{{ range(9223372036854775800, 9223372036854775807, 9223372036854775807)|list }}") == "[9223372036854775800]");
  CHECK(rendered("{{ range(-9223372036854775807 - 1, 9223372036854775807, 9223372036854775807)|list }}") ==
        "[-9223372036854775808, -1, 9223372036854775806]");
  CHECK(has(rendered("{{ range(0, 9223372036854775807, 9223372036854775806)[::2] }}"), "64 bits"));
  CHECK(has(rendered("{{ (1e308 * 10)|int(7) }}"), "64 bits"));
  CHECK(has(rendered("{{ 1e300|int(7) }}"), "64 bits"));
}

TEST_CASE("every truncation of a template, and every changed byte, is refused or rendered") {
  const std::string source =
      "{%- macro m(a, b=1) -%}{{ a|tojson(indent=2) }}{%- endmacro -%}{# c #}{% set ns = namespace(x='\\u00e9') %}{% raw %}{{{% endraw %}"
      "{% for k, v in d.items() if v is defined %}{{ loop.index0 }}{% if v is mapping and not loop.last %}{{ m(v, b=[1:2]) }}{% elif k in "
      "s %}"
      "{{ s[::-1].strip('a') ~ 'x' * 3 }}{% else %}{% continue %}{% endif %}{% endfor %}{% call(q) m({}) %}{{ q }}{% endcall %}";
  for (size_t length = 0; length <= source.size(); ++length) CHECK(rendered(source.substr(0, length)).size() < 4000);
  for (size_t at = 0; at < source.size(); ++at)
    for (char c : {'{', '}', '%', '(', '\'', '"', '\\', '-', '\0', '\xFF', '[', '|'}) {
      std::string changed = source;
      changed[at] = c;
      CHECK(rendered(changed).size() < 4000);
    }
}
