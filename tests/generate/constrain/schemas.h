// Schemas of many kinds, for tests that write whatever they allow.
#pragma once

namespace linnet::tests {

inline constexpr const char* kSchemas[] = {
    "{}",
    R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150}},"required":["name","age"]})",
    R"({"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":5})",
    R"({"enum":["red","green","blue",3,null,{"shade":[1,2]}]})",
    R"({"type":"string","minLength":3,"maxLength":12})",
    R"({"type":"string","pattern":"^[A-Z]{2}-[0-9]{3,5}(x|yz)?$"})",
    R"({"type":"object","properties":{"date":{"type":"string","format":"date"},"at":{"type":"string","format":"date-time"},
        "id":{"type":"string","format":"uuid"},"mail":{"type":"string","format":"email"},"ip":{"type":"string","format":"ipv4"}},
        "required":["date","id"],"additionalProperties":false})",
    R"({"type":"number","minimum":-2.5,"maximum":7.25})",
    R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1})",
    R"({"type":"integer","minimum":-1000,"maximum":12345,"multipleOf":5})",
    R"({"anyOf":[{"type":"object","properties":{"ok":{"const":true},"value":{"type":"number"}},"required":["ok","value"]},
        {"type":"object","properties":{"ok":{"const":false},"error":{"type":"string"}},"required":["ok","error"]}]})",
    R"({"oneOf":[{"type":"integer","minimum":3},{"type":"string","maxLength":4},{"type":"null"}]})",
    R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"value":{"type":"integer"},
        "children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["value"]}}})",
    R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"boolean"},"c":{"type":"number"},"d":{"type":"string"}}})",
    R"({"type":"object","additionalProperties":{"type":"array","items":{"type":"boolean"}}})",
    R"({"type":"object","properties":{"kind":{"enum":["x","y"]},"kinds":{"type":"integer"}},"required":["kind"],"additionalProperties":{"type":"string"}})",
    R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer","minimum":1},{"type":"boolean"}],"items":{"type":"null"},"minItems":2})",
    R"({"type":["string","null","array"],"maxLength":5,"items":{"enum":[1,2,"three"]}})",
    R"({"allOf":[{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]},
        {"properties":{"x":{"minimum":10,"maximum":99},"y":{"type":"array","items":{"type":"number"},"maxItems":2}},"required":["y"]}]})",
    R"({"type":"array","items":{"type":"object","properties":{"id":{"type":"integer","minimum":1},"tags":{"type":"array","items":{"type":"string","maxLength":6},
        "maxItems":3},"note":{"type":["string","null"]}},"required":["id","tags"],"additionalProperties":false},"maxItems":4})",
    R"({"type":"object","properties":{"\u00fcn\u00efcode \"key\"":{"const":"\u20ac\n"},"q":{"type":"string","minLength":200,"maxLength":300}},
        "required":["\u00fcn\u00efcode \"key\""]})",
    R"({"type":"object","properties":{"steps":{"type":"array","items":{"anyOf":[{"type":"string"},{"$ref":"#"}]},"minItems":1},"answer":{"type":"number"}},
        "required":["steps","answer"]})",
};

}  // namespace linnet::tests
