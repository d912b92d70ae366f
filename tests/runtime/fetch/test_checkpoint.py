"""A file passes where openai-whisper can load it; every other is reported, and no code in it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched, saved, visible, weights
from tests.support import hub_models
from whisper_runtime.engine.model.checkpoint import read_checkpoint
from whisper_runtime.engine.model.hugging_face import their_name
from whisper_runtime.fetch.checkpoint import validate
from whisper_runtime.fetch.errors import FetchError


class CodeInAPickle:
    """Unpickling it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


def refused(tmp_path: Path, checkpoint: Any) -> str:
    file = tmp_path / "file.pt"
    file.write_bytes(saved(checkpoint))
    with pytest.raises(FetchError) as raised:
        validate(file, "http://mirror/file.pt")
    assert raised.value.reason == "NotACheckpoint"
    return str(raised.value)


def changed(**tensors: Any) -> dict[str, Any]:
    """A right checkpoint but for these tensors, by name with `__` for dots; None leaves one out."""
    found = weights()
    for name, tensor in tensors.items():
        found["model_state_dict"].pop(name.replace("__", "."), None)
        if tensor is not None:
            found["model_state_dict"][name.replace("__", ".")] = tensor
    return found


def test_a_right_checkpoint_passes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.pt").write_bytes(content)
    validate(tmp_path / "file.pt", "here")


def test_a_wrong_tensor_is_named(tmp_path: Path) -> None:
    import torch

    assert "lacks decoder.ln.bias" in refused(tmp_path, changed(decoder__ln__bias=None))
    assert "has decoder.more, which" in refused(tmp_path, changed(decoder__more=torch.zeros(2)))
    assert "decoder.ln.bias must be numbers of shape (8,)" in refused(
        tmp_path, changed(decoder__ln__bias=torch.zeros(9))
    )
    assert "decoder.ln.bias must be numbers" in refused(tmp_path, changed(decoder__ln__bias=torch.zeros(8).int()))
    assert "decoder.ln.bias must be numbers" in refused(tmp_path, changed(decoder__ln__bias="no tensor"))
    assert "decoder.ln.bias must be numbers" in refused(tmp_path, changed(decoder__ln__bias=torch.zeros(1).expand(8)))
    assert "decoder.ln.bias holds numbers that are not finite" in refused(
        tmp_path, changed(decoder__ln__bias=torch.full((8,), torch.nan))
    )


@pytest.mark.parametrize(
    ("dims", "says"),
    [
        ({"n_audio_layer": 10**9}, "n_audio_layer"),
        ({"n_audio_head": 0}, "n_audio_head"),
        ({"n_vocab": "many"}, "n_vocab"),
        ({"n_more": 1}, "n_more"),
    ],
)
def test_dimensions_that_no_whisper_has(tmp_path: Path, dims: dict[str, Any], says: str) -> None:
    found = weights()
    assert says in refused(tmp_path, {**found, "dims": {**found["dims"], **dims}})


@pytest.mark.parametrize("content", [{}, {"dims": {}}, [1, 2], {"dims": None, "model_state_dict": 7}])
def test_other_content(tmp_path: Path, content: Any) -> None:
    refused(tmp_path, content)


def test_an_archive_that_torch_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "file.pt").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(FetchError, match="torch cannot load it"):
        validate(tmp_path / "file.pt", "here")


def test_code_in_a_pickle_does_not_run_and_nothing_is_published(mirror: Mirror, cache: Path, tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    mirror.content = saved({**weights(), "more": CodeInAPickle(trace)})
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == "NotACheckpoint"
    assert not trace.exists()
    assert visible(cache) == []


def test_random_weights_pass_because_only_speech_can_tell(mirror: Mirror, cache: Path) -> None:
    """The golden clip detects them (tests/runtime/media/test_self_test.py)."""
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"


def of_hugging_face(tmp_path: Path, **changed: Any) -> str:
    """Why a model of Hugging Face is refused: with these tensors, by name with `__` for dots; None leaves one out."""
    content = hub_models.tensors()
    for name, tensor in changed.items():
        content.pop(name.replace("__", "."), None)
        if tensor is not None:
            content[name.replace("__", ".")] = tensor
    for name, file in {**hub_models.one_file(), "model.safetensors": hub_models.safetensors(content)}.items():
        (tmp_path / name).write_bytes(file)
    with pytest.raises(FetchError) as raised:
        validate(tmp_path, "hf://team/tune@main")
    assert raised.value.reason == "NotACheckpoint"
    assert str(raised.value).startswith("hf://team/tune@main is not a checkpoint of a Whisper: ")
    return str(raised.value)


def test_a_wrong_tensor_of_hugging_face_is_named_by_its_file_and_its_own_key(tmp_path: Path) -> None:
    import torch

    norm = "model.decoder.layer_norm.bias"
    assert f"it lacks {norm}" in of_hugging_face(tmp_path, model__decoder__layer_norm__bias=None)
    assert "it has model.safetensors: model.lora_A, which" in of_hugging_face(tmp_path, model__lora_A=torch.zeros(2))
    assert f"model.safetensors: {norm} must be numbers of shape (8,), and has (9,)" in of_hugging_face(
        tmp_path, model__decoder__layer_norm__bias=torch.zeros(9)
    )
    assert f"model.safetensors: {norm} holds numbers that are not finite" in of_hugging_face(
        tmp_path, model__decoder__layer_norm__bias=torch.full((8,), torch.inf)
    )
    assert "model.safetensors: model.encoder.conv1.weight must be numbers of shape (8, 80, 3), and has (8, 128, 3)" in (
        of_hugging_face(tmp_path, model__encoder__conv1__weight=torch.zeros(8, 128, 3))
    )


def test_every_key_of_a_whisper_has_its_name_in_both_layouts(tmp_path: Path) -> None:
    for name, file in hub_models.one_file().items():
        (tmp_path / name).write_bytes(file)
    validate(tmp_path, "here")
    found = read_checkpoint(tmp_path)
    assert {their_name(name) for name in found.tensors} == {*hub_models.tensors()}
