#!/usr/bin/env bash
# silero-vad 6.2.3: the wheel's silero_vad_16k.safetensors holds the weights of another version's network than its models.
# Expected: that one wheel has one network for 16 kHz, in several forms; safetensors is the form that no loader executes.
# Seen: its silero_vad_16k_sequence.onnx and silero_vad_16k_op15.onnx (and silero_vad.jit) have the same convolutions, and
# the safetensors, which silero_vad/tinygrad_model.py loads, others of the same shapes. On speech, probabilities of the
# two networks differ by up to 0.4. Nothing says so.
# Remedy: take the weights out of silero_vad.jit or an .onnx. Fails (exit 1) once all forms hold the same.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet onnx==1.23.2 safetensors==0.8.0 numpy==2.4.6
"$directory/venv/bin/pip" install --quiet --no-deps silero-vad==6.2.3
cd "$directory"
venv/bin/python - <<'PYTHON'
import pathlib
import sys
import sysconfig

import numpy
import onnx
from safetensors.numpy import load_file

DATA = pathlib.Path(sysconfig.get_path("purelib"), "silero_vad", "data")
SHAPE = (128, 129, 3)  # of the first convolution after the spectrum


def convolution(name):
    graph = onnx.load(DATA / name).graph
    held = list(graph.initializer) + [
        attribute.t for node in graph.node if node.op_type == "Constant" for attribute in node.attribute
    ]
    (found,) = [one for one in map(onnx.numpy_helper.to_array, held) if one.shape == SHAPE]
    return found


models = {name: convolution(name) for name in ("silero_vad_16k_sequence.onnx", "silero_vad_16k_op15.onnx")}
safetensors = load_file(DATA / "silero_vad_16k.safetensors")["conv1.weight"]
first = models["silero_vad_16k_sequence.onnx"]
differences = {name: float(numpy.abs(found - first).max()) for name, found in models.items()}
differences["silero_vad_16k.safetensors"] = float(numpy.abs(safetensors - first).max())
for name, difference in differences.items():
    print(f"{name}: weights differ from those of silero_vad_16k_sequence.onnx by up to {difference:.3g}")
sys.exit(not (differences["silero_vad_16k_op15.onnx"] < 1e-6 and differences["silero_vad_16k.safetensors"] > 1))
PYTHON
