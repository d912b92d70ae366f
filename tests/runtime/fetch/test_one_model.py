"""The one model among the files of an image: in its layers, and where it is mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.one_model import OF_ENCODER, OF_WHISPER, may_be_models, model_place, mounted_model

NAME = "oci://r/m:v1"


@pytest.mark.parametrize(
    ("path", "of_artifact", "of_image"),
    [
        ("a.pt", True, True),
        ("models/deep/a.pt", True, True),
        ("opt/a.pt", True, False),
        ("modelsx/a.pt", True, False),
        ("models/tune.tar", True, True),
        ("models/model-00001-of-00002.safetensors", True, True),
        ("models/tokenizer.json", True, True),
        ("models/other.json", False, False),
        ("models/README.md", False, False),
    ],
)
def test_a_file_may_be_a_models_by_name_and_place(path: str, of_artifact: bool, of_image: bool) -> None:
    assert (may_be_models(path, False, OF_WHISPER), may_be_models(path, True, OF_WHISPER)) == (of_artifact, of_image)


@pytest.mark.parametrize(
    ("paths", "place"),
    [
        (("config.json", "models/a.pt", "models/tokenizer.json"), "models/a.pt"),
        (("models/config.json", "models/model.safetensors", "config.json"), "models"),
        (("config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"), ""),
        (("models/config.json", "tokenizer.json"), "models"),
    ],
)
def test_the_one_model_is_taken(paths: tuple[str, ...], place: str) -> None:
    assert model_place(NAME, paths, OF_WHISPER) == place


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (("a.pt", "b.tar"), "has more than one checkpoint of a Whisper \\(a.pt, b.tar\\): keep one of them"),
        (("model.safetensors", "fp16/model.safetensors"), "\\(./, fp16/\\)"),
        (("tokenizer.json",), "it has tokenizer.json: push one file .pt"),
        (("a/config.json", "b/config.json"), "it has a/config.json, b/config.json: push"),
        ((), "it has none of these: push"),
    ],
)
def test_a_choice_is_left_to_who_pushes(paths: tuple[str, ...], says: str) -> None:
    with pytest.raises(FetchError, match=says):
        model_place(NAME, paths, OF_WHISPER)


@pytest.mark.parametrize(
    ("paths", "place"),
    [
        (("README.md", "config.yaml", "avg_model.pt", "voxceleb_resnet34_LM.onnx"), "voxceleb_resnet34_LM.onnx"),
        (("models/pretrained.pt", "config.json", "model.safetensors"), "models/pretrained.pt"),
    ],
)
def test_an_encoder_is_one_onnx_file_or_else_one_torch_file(paths: tuple[str, ...], place: str) -> None:
    assert model_place(NAME, paths, OF_ENCODER) == place


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (
            ("a.onnx", "b.onnx"),
            r"more than one speaker encoder \(a.onnx, b.onnx\): keep one of them, or write the https",
        ),
        (("config.json", "model.safetensors"), "is not a speaker encoder: it has config.json, model.safetensors: push"),
    ],
)
def test_so_it_is_with_encoders(paths: tuple[str, ...], says: str) -> None:
    with pytest.raises(FetchError, match=says):
        model_place(NAME, paths, OF_ENCODER)


def test_an_encoder_is_told_in_layers_too() -> None:
    paths = ("voices.onnx", "models/voices.onnx", "opt/voices.onnx", "config.json")
    assert [path for path in paths if may_be_models(path, True, OF_ENCODER)] == ["voices.onnx", "models/voices.onnx"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "image/models/1").mkdir(parents=True)
    return tmp_path / "image"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (("a.pt", "models/README.md", "etc.json"), "a.pt"),
        (("models/1/a.pt",), "models/1/a.pt"),
        (("models/1/config.json", "models/1/model.safetensors"), "models/1"),
        (("config.json", "model.safetensors"), "."),
    ],
)
def test_the_model_of_a_mounted_image(image: Path, files: tuple[str, ...], place: str) -> None:
    for name in files:
        (image / name).write_bytes(b"")
    assert mounted_model(image) == image / place


def test_a_mounted_image_without_a_model_says_what_it_has(image: Path) -> None:
    (image / "models/tokenizer.json").write_bytes(b"")
    with pytest.raises(FetchError, match=f"the image at {image} is not a checkpoint .* it has models/tokenizer.json"):
        mounted_model(image)


def test_a_link_stays_within_its_image(image: Path, tmp_path: Path) -> None:
    (image / "blobs").mkdir()
    (image / "blobs/abc").write_bytes(b"")
    (image / "models/a.pt").symlink_to("../blobs/abc")
    assert mounted_model(image) == image / "models/a.pt"
    (tmp_path / "key").write_bytes(b"")
    (image / "models/a.pt").unlink()
    (image / "models/a.pt").symlink_to(tmp_path / "key")
    with pytest.raises(FetchError, match="is a link out of its image"):
        mounted_model(image)


def test_an_image_that_is_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="image"):
        mounted_model(tmp_path / "image")
