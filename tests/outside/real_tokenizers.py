#!/usr/bin/env python3
"""Check real tokenizers through the `linnet` tool, from outside: ids without and with special tokens, and the decoded text. Python standard library only.

usage: real_tokenizers.py --linnet BUILD/linnet MODELS
MODELS holds tokenizers/ (folders with expected.json and llamacpp-*.inp/.out) and vocab-gguf/ (*.gguf with .inp/.out).
A tokenizer that the tool refuses is counted as refused, with its reason. Closes with `N passed, M failed, K refused`; exit status 1 if anything failed.
"""
import argparse, json, os, subprocess, sys

SEPARATOR = "\n__ggml_vocab_test__\n"


class Refused(Exception):
    pass


def ask(linnet, source, rows):
    p = subprocess.run([linnet, "tokenize", source, "--jsonl"], input="".join(json.dumps(r) + "\n" for r in rows), capture_output=True, text=True,
                       timeout=600)
    if p.returncode == 1 and not p.stdout:
        raise Refused(p.stderr.strip()[-200:])
    out = [json.loads(line) for line in p.stdout.splitlines()]
    if p.returncode or len(out) != len(rows):
        raise RuntimeError("exit %d, %d answers for %d questions: %s" % (p.returncode, len(out), len(rows), p.stderr.strip()[-200:]))
    return out


def pairs_of(path):
    """The test strings and ids that llama.cpp publishes beside a vocabulary."""
    with open(path + ".inp", encoding="utf-8", newline="") as f:
        texts = f.read().split(SEPARATOR)
    with open(path + ".out", encoding="utf-8") as f:
        ids = [[int(x) for x in line.split()] for line in f.read().split("\n")]
    return [(text, line) for text, line in zip(texts, ids)]


def questions(folder):
    rows, wanted = [], []
    for case in json.load(open(os.path.join(folder, "expected.json"), encoding="utf-8")):
        rows.append({"text": case["text"]}); wanted.append({"ids": case["ids"]})
        if "ids_with_special" in case:
            rows.append({"text": case["text"], "special": True}); wanted.append({"ids": case["ids_with_special"]})
        rows.append({"ids": case["ids"]}); wanted.append({"text": case["decoded"]})
    for name in sorted(os.listdir(folder)):
        if name.endswith(".inp"):
            for text, ids in pairs_of(os.path.join(folder, name[:-4])):
                rows.append({"text": text}); wanted.append({"ids": ids})
    return rows, wanted


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--linnet", required=True)
    p.add_argument("models")
    a = p.parse_args()
    good = bad = refused = 0

    def check(name, source, rows, wanted):
        nonlocal good, bad, refused
        try:
            got = ask(a.linnet, source, rows)
        except Refused as e:
            refused += len(rows)
            print("%-28s refused: %s" % (name, e))
            return
        wrong = [(r, g, w) for r, g, w in zip(rows, got, wanted) if any(g.get(k) != v for k, v in w.items())]
        good += len(rows) - len(wrong); bad += len(wrong)
        print("%-28s %5d/%-5d %s" % (name, len(rows) - len(wrong), len(rows), "FAIL" if wrong else "pass"))
        for r, g, w in wrong[:3]:
            print("    for %.100r\n      got  %.140r\n      want %.140r" % (r, g, w))

    folder = os.path.join(a.models, "tokenizers")
    for name in sorted(os.listdir(folder)):
        if os.path.isdir(os.path.join(folder, name)):
            check(name, os.path.join(folder, name), *questions(os.path.join(folder, name)))
    folder = os.path.join(a.models, "vocab-gguf")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".gguf"):
            pairs = pairs_of(os.path.join(folder, name))
            check(name, os.path.join(folder, name), [{"text": t} for t, _ in pairs], [{"ids": i} for _, i in pairs])
    print("%d passed, %d failed, %d refused" % (good, bad, refused))
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
