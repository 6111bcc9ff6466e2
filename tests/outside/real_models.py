#!/usr/bin/env python3
"""Run the trained models of the shared data through the `linnet` tool and compare with their references. Standard library only.

usage: real_models.py --linnet BUILD/linnet SHARED_MODELS_DIR
stories260k: greedy ids from safetensors and from every GGUF (converted to f32: the stored values exactly) and the negative
log-likelihood of each at f32, int8 and int4; then text in and text out. kwt1-speech-commands: logits at f32, labels at int8 and int4.
capp-gpt2: greedy ids and last logits at f32, greedy ids at int8. gpt-nano-sort: logits at f32, six sorted digits at f32 and int8.
Closes with `N passed, M failed`; exit status 1 if anything failed.
"""
import argparse, ast, json, math, os, struct, subprocess, sys, tempfile, zipfile
from array import array

SMALL_MARGIN = 0.02     # a greedy step decided by less may flip in float32


class Tally:
    def __init__(self):
        self.good = self.bad = 0

    def line(self, ok, what, text):
        self.good += ok
        self.bad += not ok
        print("%-44s %-66s %s" % (what, text, "pass" if ok else "FAIL"), flush=True)


def call(*cmd):
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=300)
    if p.returncode:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(cmd[1:3]), p.returncode, p.stderr.strip()[-300:]))
    return p.stdout


def write_safetensors(path, tensors):
    head, blob = {}, b""
    for name, (dtype, shape, v) in tensors.items():
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(blob), len(blob) + len(v.tobytes())]}
        blob += v.tobytes()
    h = json.dumps(head).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(h)) + h + blob)


def read_safetensors(path):
    with open(path, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        head = json.loads(f.read(n))
        out = {}
        for name, t in head.items():
            a, b = t["data_offsets"]
            f.seek(8 + n + a)
            v = array("f")
            v.frombytes(f.read(b - a))
            out[name] = (t["shape"], v)
        return out


def read_npz(path):
    out = {}
    with zipfile.ZipFile(path) as z:
        for name in z.namelist():
            raw = z.read(name)
            n = struct.unpack("<H", raw[8:10])[0]
            head = ast.literal_eval(raw[10:10 + n].decode().strip())
            v = array("f")
            v.frombytes(raw[10 + n:])
            out[name[:-4]] = (list(head["shape"]), v)
    return out


def greedy(linnet, model, prompt, n):
    ids = ",".join(map(str, prompt))
    return json.loads(call(linnet, "generate", model, "--ids", ids, "--max-tokens", str(n), "--temperature", "0", "--ignore-eos", "--raw", "--json"))


def compare_greedy(tally, what, got, want, margins):
    first = next((i for i, (x, y) in enumerate(zip(got, want)) if x != y), None)
    if first is None and len(got) == len(want):
        tally.line(True, what, "%d ids equal" % len(want))
    elif first is not None and margins[first] < SMALL_MARGIN:
        tally.line(True, what, "%d ids equal, then a step with margin %.4f" % (first, margins[first]))
    else:
        tally.line(False, what, "differs at %s of %d, margin %s" % (first, len(want), None if first is None else margins[first]))


def nll(linnet, model, ids, tmp):
    pi, po = os.path.join(tmp, "i.safetensors"), os.path.join(tmp, "o.safetensors")
    write_safetensors(pi, {"input_ids": ("I64", [1, len(ids)], array("q", ids))})
    call(linnet, "run", model, "--inputs", pi, "--outputs", po)
    shape, v = read_safetensors(po)["logits"]
    width, total = shape[-1], 0.0
    for i in range(len(ids) - 1):
        row = v[i * width:(i + 1) * width]
        top = max(row)
        total += top + math.log(sum(math.exp(x - top) for x in row)) - row[ids[i + 1]]
    return total / (len(ids) - 1)


def negative_log_likelihoods(linnet, source, texts, base, tmp, tally):
    """At f32 those of the reference; at int8 and int4 near those of f32."""
    for weights, allowed in (("f32", 0.0005), ("int8", 0.02), ("int4", 0.25)):
        model = os.path.join(tmp, "nll.linnet")
        call(linnet, "convert", source, "-o", model, "--weights", weights)
        got = [nll(linnet, model, ids, tmp) for ids in texts]
        worst = max(abs(g - b) for g, b in zip(got, base))
        tally.line(worst < allowed, "%s %s negative log-likelihood" % (os.path.basename(source), weights),
                   "%s, reference %s" % (" ".join("%.4f" % g for g in got), " ".join("%.4f" % b for b in base)))


def stories(linnet, root, tmp, tally):
    src = os.path.join(root, "stories260k")
    expected = json.load(open(os.path.join(src, "expected.json")))
    gguf = json.load(open(os.path.join(src, "expected_gguf.json")))["quant"]
    prompts = {p["text"]: p["input_ids"] for p in expected["prompts"]}
    nll_ids = [t["input_ids"] for t in expected["nll"]]
    sources = [(src, expected["prompts"], [t["mean_nll"] for t in expected["nll"]])]
    sources += [(os.path.join(src, q["file"]), q["prompts"], q["nll"]) for _, q in sorted(gguf.items())]
    for source, cases, base in sources:
        model, name = os.path.join(tmp, "stories.linnet"), os.path.basename(source)
        call(linnet, "convert", source, "-o", model, "--weights", "f32")
        for i, p in enumerate(cases):
            got = greedy(linnet, model, prompts[p["text"]], len(p["greedy_ids"]))
            compare_greedy(tally, "%s prompt %d" % (name, i), got["ids"], p["greedy_ids"], p["margins"])
        negative_log_likelihoods(linnet, source, nll_ids, base, tmp, tally)


def stories_text(linnet, root, tmp, tally):
    src = os.path.join(root, "stories260k")
    model = os.path.join(tmp, "stories.linnet")
    call(linnet, "convert", src, "-o", model, "--weights", "f32")
    for i, p in enumerate(json.load(open(os.path.join(src, "expected.json")))["prompts"]):
        got = greedy(linnet, model, p["input_ids"], len(p["greedy_ids"]))
        text = got.get("text")
        if text is None:
            raise RuntimeError("generate writes no text: the model was converted without its tokenizer")
        # The reference decoded prompt and continuation together.
        tally.line((p["text"] + text).strip() == p["greedy_text"].strip(), "stories260k text %d" % i, repr(text[:50]))
        if p["text"]:
            out = json.loads(call(linnet, "generate", model, "--prompt", p["text"], "--max-tokens", "1", "--temperature", "0", "--json"))
            tally.line(out["prompt_ids"] == p["input_ids"], "stories260k prompt ids %d" % i, repr(p["text"][:50]))


def logits_of(linnet, model, ids, tmp):
    pi, po = os.path.join(tmp, "i.safetensors"), os.path.join(tmp, "o.safetensors")
    write_safetensors(pi, {"input_ids": ("I64", [1, len(ids)], array("q", ids))})
    call(linnet, "run", model, "--inputs", pi, "--outputs", po)
    shape, v = read_safetensors(po)["logits"]
    return [v[i * shape[-1]:(i + 1) * shape[-1]] for i in range(len(v) // shape[-1])]


def process_plans(linnet, root, tmp, tally):
    src = os.path.join(root, "capp-gpt2")
    expected = json.load(open(os.path.join(src, "expected.json")))
    for weights in ("f32", "int8"):
        model = os.path.join(tmp, "capp.linnet")
        call(linnet, "convert", src, "-o", model, "--weights", weights)
        for i, case in enumerate(expected["cases"]):
            got = greedy(linnet, model, case["input_ids"], len(case["greedy_ids"]))
            compare_greedy(tally, "capp-gpt2 %s case %d" % (weights, i), got["ids"], case["greedy_ids"], case["margins"])
            last = logits_of(linnet, model, case["input_ids"], tmp)[-1]
            worst = max(abs(a - b) for a, b in zip(last, case["last_input_logits"]))
            tally.line(worst <= (1e-3 if weights == "f32" else 1), "capp-gpt2 %s logits %d" % (weights, i), "within %.2g" % worst)


def digits(linnet, root, tmp, tally):
    src = os.path.join(root, "gpt-nano-sort")
    expected = json.load(open(os.path.join(src, "expected.json")))
    for weights in ("f32", "int8"):
        model = os.path.join(tmp, "sort.linnet")
        call(linnet, "convert", src, "-o", model, "--weights", weights)
        for case in expected["cases"]:
            got = greedy(linnet, model, case["input_ids"], 6)["ids"]
            tally.line(got == case["sorted"], "gpt-nano-sort %s" % weights, "%s -> %s" % (case["input_ids"], got))
            if weights != "f32":
                continue
            rows = logits_of(linnet, model, case["input_ids"] + case["greedy_ids"][:5], tmp)[5:]
            worst = max(abs(a - b) for row, want in zip(rows, case["logits_last_positions"]) for a, b in zip(row, want))
            tally.line(worst <= 1e-3, "gpt-nano-sort logits", "within %.2g" % worst)


def keywords(linnet, root, tmp, tally):
    src = os.path.join(root, "kwt1-speech-commands")
    expected = json.load(open(os.path.join(src, "expected.json")))
    features = read_npz(os.path.join(src, "features.npz"))
    for weights in ("f32", "int8", "int4"):
        model = os.path.join(tmp, "kwt.linnet")
        call(linnet, "convert", src, "-o", model, "--weights", weights)
        for case in expected["cases"]:
            shape, v = features[case["name"]]
            pi, po = os.path.join(tmp, "i.safetensors"), os.path.join(tmp, "o.safetensors")
            write_safetensors(pi, {"features": ("F32", [1] + shape, v)})
            call(linnet, "run", model, "--inputs", pi, "--outputs", po)
            got = read_safetensors(po)["logits"][1]
            label = expected["labels"][max(range(len(got)), key=lambda i: got[i])]
            worst = max(abs(a - b) for a, b in zip(got, case["logits"]))
            ok = label == case["label"] and (weights != "f32" or worst <= 1e-4)
            tally.line(ok, "kwt1 %s %s" % (weights, case["name"]), "label %s, logits within %.2g" % (label, worst))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--linnet", required=True)
    p.add_argument("models")
    a = p.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as tmp:
        for job in (stories, stories_text, process_plans, digits, keywords):
            try:
                job(a.linnet, a.models, tmp, tally)
            except Exception as e:
                tally.line(False, job.__name__, str(e)[:200])
    print("%d passed, %d failed" % (tally.good, tally.bad))
    return 1 if tally.bad or not tally.good else 0


if __name__ == "__main__":
    sys.exit(main())
