#!/usr/bin/env bash
# openai-whisper 20250625, whisper.load_model:
# (1) A checkpoint that is loaded by its path takes other heads for its word timestamps than the same file loaded by its
#     name. Only the name brings the model's alignment heads (_ALIGNMENT_HEADS in whisper/__init__.py); by a path, all
#     heads of the upper half of the decoder are taken: 12 in place of 8 for tiny.en, 320 in place of 10 for large-v3.
#     Nothing is said.
# (2) Half and more of load_model's processor time goes into random numbers: Whisper(dims) fills every weight by torch's
#     initialisers, and load_state_dict overwrites each at once.
# Expected: (1) that a file is a file; (2) that loading is bound by reading. Seen: the lines below. A server that
# fetches its models by itself has both.
# Remedy: (1) model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name]); (2) build the module on torch's device "meta"
# and load_state_dict(assign=True) from torch.load(mmap=True). The checkpoints are made here, of random weights in
# OpenAI's format. Fails (exit 1) once (1) is mended or the random numbers take less than a quarter. It installs torch
# from PyPI: some 3 GB.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet uv==0.13.9
UV_NO_CACHE=1 "$directory/venv/bin/uv" pip install --quiet --python "$directory/venv/bin/python" \
    openai-whisper==20250625 torch==2.15.0
cat >"$directory/try.py" <<'PYTHON'
import base64
import gzip
import importlib.metadata
import sys
import time
from dataclasses import asdict

import numpy
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

TINY = ModelDimensions(80, 1500, 384, 6, 4, 51864, 448, 384, 6, 4)
SMALL = ModelDimensions(80, 1500, 768, 12, 12, 51865, 448, 768, 12, 12)


def published(name):
    """How many alignment heads OpenAI publishes for a model."""
    return int(numpy.frombuffer(gzip.decompress(base64.b85decode(whisper._ALIGNMENT_HEADS[name])), bool).sum())


def save(dims, path):
    weights = Whisper(dims).half().state_dict()
    torch.save({"dims": asdict(dims), "model_state_dict": weights}, path)


def processor_seconds(call):
    started = time.process_time()
    call()
    return time.process_time() - started


torch.set_num_threads(1)
save(TINY, f"{sys.argv[1]}/tiny.en.pt")
save(SMALL, f"{sys.argv[1]}/small.pt")
print("openai-whisper", importlib.metadata.version("openai-whisper"))
heads = len(whisper.load_model(f"{sys.argv[1]}/tiny.en.pt", device="cpu").alignment_heads.indices()[0])
print(f"tiny.en has {published('tiny.en')} alignment heads by its name and {heads} by its path")
whole = min(processor_seconds(lambda: whisper.load_model(f"{sys.argv[1]}/small.pt", device="cpu")) for _ in range(3))
random = min(processor_seconds(lambda: Whisper(SMALL)) for _ in range(3))
print(f"a model of small's size: load_model {whole:.1f} s of processor time, of which Whisper(dims) {random:.1f} s")
sys.exit(not (published("tiny.en") == 8 and heads == 12 and random > whole / 4))
PYTHON
"$directory/venv/bin/python" -W ignore "$directory/try.py" "$directory"
