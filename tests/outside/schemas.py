#!/usr/bin/env python3
"""Check constrained output through the `linnet` tool, from outside: a model with random weights writes 50 texts for each of 20 schemas, with no more
tokens than each schema's shortest text needs, or a few more. Every text must parse and satisfy its schema, as a validator in this file sees it.
Python standard library only.

usage: schemas.py --linnet BUILD/linnet TOKENIZER [--generations 50]
TOKENIZER is a folder with tokenizer.json (and tokenizer_config.json); the model around it is made here.
Closes with `N passed, M failed`; exit status 1 if anything failed.
"""
import argparse, datetime, json, os, random, re, shutil, struct, subprocess, sys, tempfile, uuid

NODE = {"type": "object", "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        "required": ["value"]}
SCHEMAS = [
    {},
    {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150}}, "required": ["name", "age"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 5},
    {"enum": ["red", "green", 3, None, {"shade": [1, 2]}]},
    {"type": "string", "minLength": 3, "maxLength": 12},
    {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3,5}(x|yz)?$"},
    {"type": "object", "properties": {"day": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"},
                                      "id": {"type": "string", "format": "uuid"}, "mail": {"type": "string", "format": "email"}},
     "required": ["day", "id"], "additionalProperties": False},
    {"type": "number", "minimum": -2.5, "maximum": 7.25},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "integer", "minimum": -1000, "maximum": 12345, "multipleOf": 5},
    {"anyOf": [{"type": "object", "properties": {"ok": {"const": True}, "value": {"type": "number"}}, "required": ["ok", "value"]},
               {"type": "object", "properties": {"ok": {"const": False}, "error": {"type": "string"}}, "required": ["ok", "error"]}]},
    {"oneOf": [{"type": "integer", "minimum": 3}, {"type": "string", "maxLength": 4}, {"type": "null"}]},
    {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    {"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "boolean"}, "c": {"type": "number"}, "d": {"type": "string"}}},
    {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "boolean"}}},
    {"type": "object", "properties": {"kind": {"enum": ["x", "y"]}, "kinds": {"type": "integer"}}, "required": ["kind"],
     "additionalProperties": {"type": "string"}},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer", "minimum": 1}, {"type": "boolean"}], "items": {"type": "null"}, "minItems": 2},
    {"type": ["string", "null", "array"], "maxLength": 5, "items": {"enum": [1, 2, "three"]}},
    {"allOf": [{"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
               {"properties": {"x": {"minimum": 10, "maximum": 99}, "y": {"type": "array", "items": {"type": "number"}, "maxItems": 2}}, "required": ["y"]}]},
    {"type": "array", "maxItems": 4, "items": {"type": "object", "additionalProperties": False, "required": ["id", "tags"], "properties": {
        "id": {"type": "integer", "minimum": 1}, "tags": {"type": "array", "items": {"type": "string", "maxLength": 6}, "maxItems": 3},
        "note": {"type": ["string", "null"]}}}},
]


def is_type(v, t):
    number = isinstance(v, (int, float)) and not isinstance(v, bool)
    return {"null": v is None, "boolean": isinstance(v, bool), "number": number, "integer": number and v == int(v), "string": isinstance(v, str),
            "array": isinstance(v, list), "object": isinstance(v, dict)}[t]


def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def has_format(v, f):
    try:
        if f == "date": datetime.date.fromisoformat(v)
        elif f == "date-time": datetime.datetime.fromisoformat(v.replace("Z", "+00:00"))
        elif f == "uuid": uuid.UUID(v)
        elif f == "email": return re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", v) is not None
    except ValueError:
        return False
    return True


def valid(v, s, root):
    """JSON Schema, the keywords used above, from the specification."""
    if "$ref" in s and not valid(v, root["$defs"][s["$ref"].rsplit("/", 1)[1]], root): return False
    if "const" in s and not same(v, s["const"]): return False
    if "enum" in s and not any(same(v, e) for e in s["enum"]): return False
    if "type" in s and not any(is_type(v, t) for t in (s["type"] if isinstance(s["type"], list) else [s["type"]])): return False
    if is_type(v, "number"):
        if v < s.get("minimum", v) or v > s.get("maximum", v): return False
        if "exclusiveMinimum" in s and v <= s["exclusiveMinimum"] or "exclusiveMaximum" in s and v >= s["exclusiveMaximum"]: return False
        if "multipleOf" in s and v % s["multipleOf"]: return False
    if isinstance(v, str):
        if not s.get("minLength", 0) <= len(v) <= s.get("maxLength", len(v)): return False
        if "pattern" in s and not re.search(s["pattern"], v) or "format" in s and not has_format(v, s["format"]): return False
    if isinstance(v, list):
        if not s.get("minItems", 0) <= len(v) <= s.get("maxItems", len(v)): return False
        first = s.get("prefixItems", [])
        if not all(valid(i, f, root) for i, f in zip(v, first)): return False
        if "items" in s and not all(valid(i, s["items"], root) for i in v[len(first):]): return False
    if isinstance(v, dict):
        own, other = s.get("properties", {}), s.get("additionalProperties", True)
        if not all(name in v for name in s.get("required", [])): return False
        for name, member in v.items():
            if name in own and not valid(member, own[name], root): return False
            if name not in own and (other is False or other is not True and not valid(member, other, root)): return False
    if "anyOf" in s and not any(valid(v, b, root) for b in s["anyOf"]): return False
    if "oneOf" in s and sum(valid(v, b, root) for b in s["oneOf"]) != 1: return False
    return all(valid(v, b, root) for b in s.get("allOf", []))


def make_model(tokenizer, folder):
    """A llama of one small layer with random weights, as wide as the tokenizer has tokens."""
    for name in os.listdir(tokenizer):
        if name.startswith("tokenizer"): shutil.copy(os.path.join(tokenizer, name), folder)
    described = json.load(open(os.path.join(tokenizer, "tokenizer.json"), encoding="utf-8"))
    vocab = described["model"]["vocab"]
    ids = list(vocab.values()) if isinstance(vocab, dict) else list(range(len(vocab)))
    added = {t["content"]: t["id"] for t in described.get("added_tokens", [])}
    count = max(ids + list(added.values())) + 1
    eos = next(added[n] for n in ("<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>", "<|im_end|>") if n in added)
    hidden, inner = 32, 64
    json.dump({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": count, "hidden_size": hidden, "intermediate_size": inner,
               "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
               "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "bos_token_id": eos, "eos_token_id": eos,
               "torch_dtype": "float32"}, open(os.path.join(folder, "config.json"), "w"))
    rng, header, parts, at = random.Random(7), {}, [], 0
    layer = "model.layers.0."
    shapes = {"model.embed_tokens.weight": (count, hidden), "model.norm.weight": (hidden,), "lm_head.weight": (count, hidden),
              layer + "input_layernorm.weight": (hidden,), layer + "post_attention_layernorm.weight": (hidden,),
              layer + "mlp.gate_proj.weight": (inner, hidden), layer + "mlp.up_proj.weight": (inner, hidden), layer + "mlp.down_proj.weight": (hidden, inner)}
    for p in "qkvo": shapes[layer + "self_attn.%s_proj.weight" % p] = (hidden, hidden)
    for name, shape in shapes.items():
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        data = struct.pack("<%df" % n, *((1.0 if len(shape) == 1 else rng.gauss(0, 0.3)) for _ in range(n)))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + len(data)]}
        parts.append(data); at += len(data)
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--linnet", required=True)
    p.add_argument("--generations", type=int, default=50)
    p.add_argument("tokenizer")
    a = p.parse_args()
    good = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        make_model(a.tokenizer, folder)
        model, path = os.path.join(folder, "model.linnet"), os.path.join(folder, "schema.json")
        subprocess.run([a.linnet, "convert", folder, "-o", model], check=True, stdout=subprocess.DEVNULL)
        for number, schema in enumerate(SCHEMAS):
            json.dump(schema, open(path, "w"))

            def write(tokens, seed):
                return subprocess.run([a.linnet, "generate", model, "--prompt", "JSON:", "--schema", path, "--max-tokens", str(tokens), "--temperature", "1.5",
                                       "--seed", str(seed), "--raw", "--json"], capture_output=True, text=True, timeout=600)

            refused = write(0, 0).stderr
            shortest = int(re.search(r"takes (\d+) tokens", refused).group(1))
            failures = []
            for seed in range(a.generations):
                done = write(shortest + (0, 0, 1, 5, 40)[seed % 5], seed)
                try:
                    text = json.loads(done.stdout)["text"]
                    if not valid(json.loads(text), schema, schema): failures.append("invalid: " + text)
                except (ValueError, KeyError):
                    failures.append(done.stdout[-300:] + done.stderr[-300:])
            good += a.generations - len(failures); bad += len(failures)
            print("schema %2d, shortest text %3d tokens: %d/%d %s" % (number, shortest, a.generations - len(failures), a.generations,
                                                                    "FAIL" if failures else "pass"), flush=True)
            for failure in failures[:3]: print("    " + failure)
    print("%d passed, %d failed" % (good, bad))
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
