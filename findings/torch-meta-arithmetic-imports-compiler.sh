#!/usr/bin/env bash
# torch 2.15.0 (CPU or CUDA build): one addition of a tensor on the device "meta", which computes nothing, imports
# torch's compiler (torch._dynamo): seconds, and some 150 MiB of resident memory for good. Making such tensors, zeros_,
# fill_, uniform_ and nn.Linear do not; arithmetic, normal_ and triu_ do, so whether a model "on meta" starts at once
# or after six seconds depends on how its constructor fills its tensors (openai-whisper's counts positions: it does).
# Expected: that a device without memory costs no memory. Seen: the table below. Fails (exit 1) once that changes.
# It installs torch from PyPI: some 3 GB.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet uv==0.13.9
UV_NO_CACHE=1 "$directory/venv/bin/uv" pip install --quiet --python "$directory/venv/bin/python" torch==2.15.0 numpy
cat >"$directory/try.py" <<'PYTHON'
import resource
import sys
import time

import torch

TRIES = {
    "empty": lambda: torch.empty(4, device="meta"),
    "uniform_": lambda: torch.empty(4, device="meta").uniform_(),
    "Linear": lambda: torch.nn.Linear(4, 4, device="meta"),
    "add": lambda: torch.empty(4, device="meta") + 1,
    "normal_": lambda: torch.empty(4, device="meta").normal_(),
    "triu_": lambda: torch.empty(4, 4, device="meta").triu_(1),
}


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


name = sys.argv[1]
before, started = peak_mib(), time.perf_counter()
TRIES[name]()
took, compiler = time.perf_counter() - started, "torch._dynamo" in sys.modules
print(f"{name:9} {took:5.2f} s {peak_mib() - before:5.0f} MiB  compiler {'imported' if compiler else 'not imported'}")
sys.exit(compiler != (name in ("add", "normal_", "triu_")))
PYTHON
"$directory/venv/bin/python" -W ignore -c 'import torch; print("torch", torch.__version__)'
for name in empty uniform_ Linear add normal_ triu_; do
    "$directory/venv/bin/python" -W ignore "$directory/try.py" "$name"
done
