"""Which files are a checkpoint that tells voices apart."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from testbed import wheels
from tests.support.onnx_encoders import linear_encoder
from whisper_runtime.contract.models import encoder_path
from whisper_runtime.diarization.ge2e import shapes
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.interface import CannotLoad


def of_right_shapes() -> dict[str, torch.Tensor]:
    return {name: torch.zeros(shape) for name, shape in shapes().items()}


def saved(path: Path, content: Any) -> str:
    torch.save(content, path)
    return str(path)


def test_a_file_of_the_layout_is_loaded_whatever_else_it_holds(tmp_path: Path) -> None:
    state = {**of_right_shapes(), "similarity_weight": torch.zeros(1)}
    path = saved(tmp_path / "voices.pt", {"step": 7, "model_state": state, "optimizer_state": {}})
    assert load_diarizer(path).digest == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_weights_of_half_precision_are_taken(tmp_path: Path) -> None:
    state = {name: tensor.half() for name, tensor in of_right_shapes().items()}
    load_diarizer(saved(tmp_path / "voices.pt", {"model_state": state}))


def test_a_file_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match=r"none\.pt cannot be read \(No such file.*set WHISPER_DIARIZATION_MODEL"):
        load_diarizer(str(tmp_path / "none.pt"))


def test_what_torch_cannot_read_is_no_torch_file(tmp_path: Path) -> None:
    path = tmp_path / "voices.pt"
    path.write_bytes(b"RIFF no weights")
    with pytest.raises(CannotLoad, match="is no torch file"):
        load_diarizer(str(path))


def test_a_pickle_that_would_run_something_is_no_torch_file(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match="is no torch file"):
        load_diarizer(saved(tmp_path / "voices.pt", {"model_state": Path("/etc/passwd")}))


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {}}, {"model_state": 3}])
def test_a_torch_file_of_another_layout_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(CannotLoad, match="has no `model_state`"):
        load_diarizer(saved(tmp_path / "voices.pt", content))


def test_a_tensor_of_another_shape_is_named(tmp_path: Path) -> None:
    state = {**of_right_shapes(), "linear.bias": torch.zeros(192)}
    with pytest.raises(CannotLoad, match=r"has \(192,\) for linear\.bias instead of \(256,\)"):
        load_diarizer(saved(tmp_path / "voices.pt", {"model_state": state}))


def test_a_tensor_that_is_missing_is_named(tmp_path: Path) -> None:
    state = of_right_shapes()
    del state["lstm.bias_hh_l2"]
    with pytest.raises(CannotLoad, match=r"has nothing for lstm\.bias_hh_l2 instead of \(1024,\)"):
        load_diarizer(saved(tmp_path / "voices.pt", {"model_state": state}))


def test_the_weights_that_come_with_the_runtime_are_resemblyzers_own() -> None:
    published = torch.load(wheels.ensure(wheels.RESEMBLYZER), map_location="cpu", weights_only=True)["model_state"]
    own = torch.load(encoder_path("/models", "resemblyzer", None), map_location="cpu", weights_only=True)["model_state"]
    assert own.keys() == shapes().keys()
    assert all(torch.equal(own[name], published[name]) for name in own)


def linear(path: Path) -> str:
    path.write_bytes(linear_encoder(np.ones((80, 6), np.float32)))
    return str(path)


@pytest.mark.parametrize("name", ["voices.onnx", "voices"])
def test_an_onnx_file_is_known_by_its_name_or_its_first_byte(tmp_path: Path, name: str) -> None:
    path = linear(tmp_path / name)
    assert load_diarizer(path).digest == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_an_onnx_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "voices.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(CannotLoad, match=r"voices\.onnx cannot be read by onnxruntime"):
        load_diarizer(str(path))


def test_an_onnx_file_without_its_libraries_says_how_to_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "whisper_runtime.diarization.onnx_model", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CannotLoad, match=r"onnxruntime is not installed: pip install 'whisper-operator\[runtime,onnx"):
        load_diarizer(linear(tmp_path / "voices.onnx"))


def test_a_torch_file_needs_none_of_onnxs_libraries(tmp_path: Path) -> None:
    path = saved(tmp_path / "voices.pt", {"model_state": of_right_shapes()})
    code = f"import sys; from whisper_runtime.diarization.load import load_diarizer as load; load({path!r})\n"
    code += "print(sorted({'onnxruntime', 'kaldi_native_fbank'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "[]\n"


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.pt"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)  # a hole, which takes no room
    with pytest.raises(CannotLoad, match=r"has 1073741825 bytes, of at most 1073741824"):
        load_diarizer(str(path))
