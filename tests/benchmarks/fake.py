"""What recording models takes: `python tests/benchmarks/fake.py` prints seconds, the highest memory of any process, and the size of files.

GPT-2 XL and the shape of Llama 3 70B on the device fake (targets 30 s and 1.5 GB, 90 s and 2 GB), and GPT-2 124M with its numbers, whose
`.trace` is to stay under 2 MB. Each is recorded by the command line, with its picture.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = (("gpt2_xl", "fake", 30, 1.5), ("llama_70b", "fake", 90, 2.0), ("gpt2", "cpu", None, None))


def main() -> None:
    print(f"{'model':>10} {'seconds':>16} {'GB at most':>16} {'.trace kB':>10} {'nodes':>7} {'held at most':>16} {'FLOP forward':>13}")
    with tempfile.TemporaryDirectory() as folder:
        for name, device, seconds, memory in MODELS:
            files = [os.path.join(folder, f"{name}.{suffix}") for suffix in ("trace", "svg")]
            words = [sys.executable, "-m", "explorer", "trace", name, "--device", device, "--json", "-o", files[0], "-o", files[1]]
            begin = time.monotonic()
            process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            told, _ = process.communicate()
            took, most = time.monotonic() - begin, highest()
            document = json.loads(told)
            wanted = [f" (target {one})" if one else "" for one in (seconds, memory)]
            held, flops = document["memory"]["bytes"] / 1e9, document["flops"]["forward"]
            print(f"{name:>10} {f'{took:.1f}{wanted[0]}':>16} {f'{most:.2f}{wanted[1]}':>16} {os.path.getsize(files[0]) / 1000:>10.0f} "
                  f"{document['nodes']:>7} {held:>13.2f} GB {flops:>13.3g}")  # fmt: skip


def highest() -> float:
    """GB of the largest process that ended so far: the models run in the order of what they take."""
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
