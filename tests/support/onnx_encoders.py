"""Small speaker encoders as ONNX files, made here: GE2E's network, and one of a single matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import onnx

from whisper_runtime.diarization import ge2e, mel

OPSET: Final = 17
IR: Final = 8
Array = npt.NDArray[Any]
helper: Final = cast(Any, onnx).helper
FLOAT: Final = cast(Any, onnx).TensorProto.FLOAT
TensorShape = Sequence[int | str]


def linear_encoder(
    weights: Array,
    given: TensorShape = ("batch", "frames", 80),
    found: TensorShape = ("batch", "width"),
    *,
    metadata: dict[str, str] | None = None,
    inputs: int = 1,
) -> bytes:
    """The mean over an input's second axis times `weights`, an input of the shape `given`. `inputs`: of one kind."""
    nodes = [
        helper.make_node("ReduceMean", ["feats0"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["embs"]),
    ]
    return _file(nodes, {"weights": weights}, [(f"feats{at}", given) for at in range(inputs)], found, metadata)


def ge2e_encoder(weights: ge2e.Weights) -> bytes:
    """GE2E's network from samples on, its spectrum included, of the shape (batch, samples)."""
    nodes, given = [_node("Unsqueeze", ("pieces", "one"), "mono"), _node("Pad", ("mono", "pads"), "padded")], "bands"
    nodes += [
        _node("Conv", ("padded", "fourier"), "waves", strides=[mel.HOP]),
        _node("Mul", ("waves", "waves"), "squares"),
        helper.make_node("Split", ["squares"], ["real", "imaginary"], axis=1),
        _node("Add", ("real", "imaginary"), "power"),
        _node("Slice", ("power", "first", "last", "time"), "frames"),
        _node("Transpose", ("frames",), "in_time", perm=[2, 0, 1]),
        _node("MatMul", ("in_time", "mels"), given),
    ]
    tensors = {
        "one": np.array([1]),
        "pads": np.array([0, 0, mel.LENGTH // 2, 0, 0, mel.LENGTH // 2]),
        "fourier": _fourier(),
        "first": np.array([0]),
        "last": np.array([ge2e.FRAMES]),
        "time": np.array([2]),
        "mels": mel._bands().numpy(),  # pyright: ignore[reportPrivateUsage]
        "axis": np.array([1]),
        "linear.weight": weights["linear.weight"].numpy(),
        "linear.bias": weights["linear.bias"].numpy(),
    }
    for layer in range(ge2e.LAYERS):
        tensors |= _recurrent(weights, layer)
        names = [given, f"w{layer}", f"r{layer}", f"b{layer}"]
        found = [f"all{layer}", f"last{layer}"]
        nodes.append(helper.make_node("LSTM", names, found, hidden_size=ge2e.UNITS))
        given = f"flat{layer}"
        nodes.append(_node("Squeeze", (found[0], "axis"), given))
    nodes += [
        _node("Squeeze", (f"last{ge2e.LAYERS - 1}", "first"), "hidden"),
        _node("Gemm", ("hidden", "linear.weight", "linear.bias"), "linear", transB=1),
        _node("Relu", ("linear",), "embs"),
    ]
    return _file(nodes, tensors, [("pieces", ("batch", "samples"))], ("batch", ge2e.WIDTH), None)


def _node(kind: str, given: Sequence[str], found: str, **settings: Any) -> Any:
    return helper.make_node(kind, list(given), [found], **settings)


def _fourier() -> Array:
    """Windowed cosines and sines of each frequency, shape (2 * frequencies, 1, LENGTH)."""
    angles = 2 * np.pi * np.outer(np.arange(mel.LENGTH // 2 + 1), np.arange(mel.LENGTH)) / mel.LENGTH
    waves = np.concatenate([np.cos(angles), np.sin(angles)]) * mel._hann().numpy()  # pyright: ignore[reportPrivateUsage]
    return waves[:, None].astype(np.float32)


def _recurrent(weights: ge2e.Weights, layer: int) -> dict[str, Array]:
    """A layer's tensors, whose gates ONNX has in another order than torch: input, output, forget, cell."""

    def turned(name: str) -> Array:
        gates = np.split(weights[f"lstm.{name}_l{layer}"].numpy(), 4)
        return np.concatenate([gates[0], gates[3], gates[1], gates[2]])[None]

    biases = np.concatenate([turned("bias_ih"), turned("bias_hh")], axis=1)
    return {f"w{layer}": turned("weight_ih"), f"r{layer}": turned("weight_hh"), f"b{layer}": biases}


def _file(
    nodes: Sequence[Any],
    tensors: dict[str, Array],
    given: Sequence[tuple[str, TensorShape]],
    found: TensorShape,
    metadata: dict[str, str] | None,
) -> bytes:
    inputs = [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name, shape in given]
    outputs = [helper.make_tensor_value_info("embs", FLOAT, list(found))]
    held = [cast(Any, onnx).numpy_helper.from_array(np.ascontiguousarray(one), name) for name, one in tensors.items()]
    graph = helper.make_graph(list(nodes), "encoder", inputs, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    helper.set_model_props(model, metadata or {})
    return model.SerializeToString()
