#!/usr/bin/env bash
# onnxruntime 1.32.0 (onnx 1.23.2): a model that is given as bytes has its weights read from a file of the process's
# working directory, where the model names one.
# Expected: bytes have no folder, so that a model whose weights are in another file cannot be loaded from them; who has
# checked the digest of the bytes knows what is computed.
# Seen: the session is made, and computes with whatever that file holds.
# What to do: set session.model_external_initializers_file_folder_path to a folder that is not there.
# Fails (exit 1) once such a model is refused without that setting, or taken with it.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0
mkdir "$directory/elsewhere" && cd "$directory/elsewhere"
"$directory/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("given", "found")]
weight = numpy_helper.from_array(np.array([7], np.float32), "weight")
graph = helper.make_graph([helper.make_node("Mul", ["given", "weight"], ["found"])], "graph", ends[:1], ends[1:], [weight])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
content = open("model.onnx", "rb").read()
session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
(found,) = session.run(None, {"given": np.ones(1, np.float32)})
print(f"onnxruntime {onnxruntime.__version__}: bytes that name weights.bin compute 1 x {found[0]:.0f}")
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.model_external_initializers_file_folder_path", "/nonexistent")
try:
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
except Exception as error:
    print(f"with a folder that is not there: {str(error)[:90]}")
else:
    sys.exit("taken with a folder that is not there")
sys.exit(found[0] != 7)
PYTHON
