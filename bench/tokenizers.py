#!/usr/bin/env python3
"""Tokenizer throughput beside the Rust `tokenizers` library: the same tokenizer.json, the same documents, one thread each, interleaved.

usage: tokenizers.py --bench build/release/bench/bench_tokenizers [--python "python3"] [--root DIR] [--rounds 5] MODELS TEXT...
MODELS   folder of folders that hold a tokenizer.json
--root   a root with python3-tokenizers, entered with chroot (MODELS and TEXT are copied to its /tmp); without it this python is asked
Medians over the rounds; ids are counted on both sides and must agree.
"""
import argparse, json, os, shutil, statistics, subprocess, sys

PEER = r'''
import json, sys, time
from tokenizers import Tokenizer
t = Tokenizer.from_file(sys.argv[1]); t.no_truncation(); t.no_padding()
text = open(sys.argv[2], "rb").read()
docs, at = [], 0
while at < len(text):
    end = text.find(b"\n", at + 4096) if at + 4096 < len(text) else -1
    end = len(text) if end < 0 else end + 1
    docs.append(text[at:end].decode()); at = end
best = 1e30
for _ in range(3):
    start = time.perf_counter()
    ids = sum(len(e.ids) for e in t.encode_batch_fast(docs, add_special_tokens=False))
    best = min(best, time.perf_counter() - start)
print(json.dumps({"bytes": len(text), "ids": ids, "seconds": best, "mb_per_second": len(text) * 1e-6 / best}))
'''


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", required=True); p.add_argument("--root"); p.add_argument("--rounds", type=int, default=5)
    p.add_argument("models"); p.add_argument("texts", nargs="+")
    a = p.parse_args()
    env = dict(os.environ, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

    def ask(command):
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout)

    def peer(tokenizer, text):
        if not a.root:
            return ask([sys.executable, "-c", PEER, tokenizer, text])
        for path, name in ((tokenizer, "tokenizer.json"), (text, "text")):
            shutil.copy(path, os.path.join(a.root, "tmp", name))
        return ask(["chroot", a.root, "python3", "-c", PEER, "/tmp/tokenizer.json", "/tmp/text"])

    print("%-22s %-16s %10s %10s %7s  %s" % ("tokenizer", "text", "linnet", "rust", "ratio", "ids"))
    worst = []
    for name in sorted(os.listdir(a.models)):
        file = os.path.join(a.models, name, "tokenizer.json")
        if not os.path.exists(file):
            continue
        for text in a.texts:
            ours, theirs = [], []
            for _ in range(a.rounds):
                ours.append(ask([a.bench, os.path.dirname(file), text]))
                theirs.append(peer(file, text))
            us, them = (statistics.median(x["mb_per_second"] for x in side) for side in (ours, theirs))
            same = "equal" if ours[0]["ids"] == theirs[0]["ids"] else "DIFFERENT %d %d" % (ours[0]["ids"], theirs[0]["ids"])
            worst.append(us / them)
            print("%-22s %-16s %6.1f MB/s %5.1f MB/s %6.2fx  %s" % (name, os.path.basename(text), us, them, us / them, same), flush=True)
    print("smallest ratio %.2f, median %.2f" % (min(worst), statistics.median(worst)))


if __name__ == "__main__":
    main()
