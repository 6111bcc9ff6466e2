// Every expected text was printed by the reference, jinja2 in the environment of chat templates; nullptr: it raises an error.
#include "text/chat/rendered.h"

using namespace linnet::tests;

TEST_CASE("white space around tags goes as trim_blocks and lstrip_blocks have it") {
  constexpr Row kRows[] = {
      {"{% raw %}{{ a }}{% if %}{% endraw %}x", "{{ a }}{% if %}x"},
      {"{%- raw -%}  {{ a }} {%- endraw -%}   x", "{{ a }}x"},
      {"a {# comment #} b {#- c -#} d", "a  bd"},
      {"  {# comment #}\nx", "x"},
      {"a\n  {% if true %}\nb\n  {% endif %}\nc", "a\nb\nc"},
      {"a\n  {%+ if true %}\nb\n  {%+ endif +%}\nc", "a\n  b\n  \nc"},
      {"a  {%- if true -%}  b  {%- endif -%}  c", "abc"},
      {"a  {{- n -}}  b", "a3b"},
      {"a  {{ n }}\nb", "a  3\nb"},
      {"  {{ n }}\n  {%- if true %}\n\n  x\n  {% endif %}\n\ny", "  3\n  x\n\ny"},
      {"{% if true %}   {% set q = 1 %}\nz{% endif %}", "   z"},
      {"{% if true %}\n   {% set q = 1 %}   \nz{% endif %}", "   \nz"},
      {"{{ n }}   {% set q = 1 %}\nz", "3   z"},
      {"{{ n }}\n   {% set q = 1 %}\nz", "3\nz"},
      {"text   {% set q = 1 %}  \nz", "text     \nz"},
      {"a\nb\n", "a\nb"},
      {"a\n\n", "a\n"},
      {"{{ '<a>' }}{{ \"it's\" }}{{ 'multi\nline' }}", "<a>it'smulti\nline"},
      {"{# a", nullptr},
      {"{% raw %} a", nullptr},
      {"{%- set a = 'x' -%}{%- set b = a + '1' -%}{%- set c = a + '2' -%}{{ a }}{{ b }}{{ c }}{{ b + 'q' }}{{ b + 'r' }}", "xx1x2x1qx1r"},
      {"{{- '{' }}x{{ '}' -}}", "{x}"},
      {"{% if n > 2 %}{{ 'a' }}\n{% endif %}\nb", "a\nb"},
      {"{% if n > 2 -%}\n  a\n{%- endif %}\nb", "ab"},
      {"{% for m in messages -%}\n{{ m.role }}\n{% endfor %}\nend", "system\nuser\nassistant\ntool\nend"},
      {"{% for m in messages %}\n{{ m.role }}\n{%- endfor -%}\nend", "systemuserassistanttoolend"},
      {"{{ 'x' }}{% if true %}\n{{ 'y' }}\n{% endif %}\n", "xy\n"},
      {"\t{% if true %}tab{% endif %}\t", "tab\t"},
      {"    {#- c #}   x", "   x"},
      {"a{# c #}\nb", "ab"},
      {"a{# c -#}\nb", "ab"},
      {"{%- if true %} a {% endif -%} b", " a b"},
      {"{%- macro render(p, indent=0) -%}\n{%- for k, v in p.items() %}\n{{ ' ' * indent }}{{ k }}:\n{%- if v is mapping %}{{ render(v, "
       "indent + 2) }}{% else %} {{ v }}{% endif %}\n{%- endfor -%}\n{%- endmacro -%}\n{{ render(tools[0]) }}",
       "type: functionfunction:  name: g  parameters:    type: object    properties:      z:        type: string        enum: ['a', 'b']   "
       "   A:        type: integer    required: ['z']"},
      {"  ", "  "},
  };
  check_rows(kRows, false);
}
