"""A speaker encoder is fetched as a model is, and checked as what it is."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.hub import COMMIT, REPOSITORY, hub_of
from tests.fakes.mirror import Mirror, refusing
from tests.fakes.registry import REPOSITORY as OF_REGISTRY
from tests.fakes.registry import FakeRegistry, serving
from tests.runtime.fetch.conftest import QUICK, digest, name_of, saved, visible
from tests.support.oci_models import image, pushed_by_oras, tar
from tests.support.onnx_encoders import linear_encoder
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import FetchReport
from whisper_runtime.diarization.ge2e import shapes
from whisper_runtime.fetch.fetch import fetch
from whisper_runtime.fetch.kind import ENCODER, WHISPER, CheckpointKind


def encoder() -> bytes:
    return saved({"model_state": {name: torch.zeros(shape) for name, shape in shapes().items()}})


def fetched(
    cache: Path,
    mirror: Mirror,
    kind: CheckpointKind = ENCODER,
    sha256: str = "",
) -> FetchReport:
    sha256 = sha256 or digest(mirror.content)
    config = RuntimeConfig(model="mine", model_dir=str(cache), model_url=mirror.url, model_sha256=sha256)
    return fetch(config, policy=QUICK, kind=kind)


def test_an_encoder_is_in_the_cache_under_its_name_and_digest(cache: Path, mirror: Mirror) -> None:
    mirror.content = encoder()
    assert fetched(cache, mirror).reason == "Fetched"
    assert visible(cache) == [name_of(mirror.content)]
    assert fetched(cache, mirror).reason == "AlreadyCached"


def test_a_model_of_whispers_is_none(cache: Path, mirror: Mirror) -> None:
    report = fetched(cache, mirror)
    assert (report.reason, visible(cache)) == ("NotACheckpoint", [])
    assert report.message.startswith(f"{mirror.url} is not a speaker encoder: the speakers' model {mirror.url} has no")


def test_an_encoder_is_no_model_of_whispers(cache: Path, mirror: Mirror) -> None:
    mirror.content = encoder()
    report = fetched(cache, mirror, WHISPER)
    assert report.reason == "NotACheckpoint"
    assert "is not a checkpoint of a Whisper" in report.message


@pytest.mark.parametrize("content", [b"<!doctype html>", b"RIFF0000WAVE"])
def test_what_begins_otherwise_is_not_read_to_its_end(cache: Path, mirror: Mirror, content: bytes) -> None:
    mirror.content = content
    report = fetched(cache, mirror)
    assert report.reason == "NotACheckpoint"
    assert "is not a speaker encoder: it begins with" in report.message


def test_another_file_is_told_by_its_digest(cache: Path, mirror: Mirror) -> None:
    mirror.content = encoder()
    report = fetched(cache, mirror, sha256="a" * 64)
    assert (report.reason, visible(cache)) == ("ChecksumMismatch", [])


def test_remedies_name_the_encoders_own_fields(cache: Path, mirror: Mirror) -> None:
    mirror.answers = [refusing(404)]
    report = fetched(cache, mirror)
    assert report.message.endswith("correct spec.diarization.model.source.url")
    assert "spec.model.source.url" in fetched(cache, mirror, WHISPER).message


def test_so_do_the_fields_of_its_secret(cache: Path, mirror: Mirror) -> None:
    mirror.answers = [refusing(401)]
    assert "spec.diarization.model.source.secretRef" in fetched(cache, mirror).message


NOT_THE_ENCODER = {"README.md": b"# voices", "config.yaml": b"resnet: 34", "avg_model.pt": b"PK of training"}


def from_repository(cache: Path, url: str, content: bytes, **more: Any) -> FetchReport:
    config = RuntimeConfig(
        model="mine", model_dir=str(cache), model_url=url, model_sha256=hashlib.sha256(content).hexdigest(), **more
    )
    return fetch(config, policy=QUICK, kind=ENCODER)


@pytest.fixture
def onnx_file() -> bytes:
    return linear_encoder(np.eye(80, 8, dtype=np.float32))


def test_behind_the_hub_it_is_the_one_onnx_file_as_it_is(cache: Path, onnx_file: bytes) -> None:
    with hub_of({**NOT_THE_ENCODER, "voices.onnx": onnx_file}) as hub:
        report = from_repository(cache, f"hf://{REPOSITORY}@{COMMIT}", onnx_file, model_hub_endpoint=hub.url)
    assert (report.reason, visible(cache)) == ("Fetched", [name_of(onnx_file)]), report.message
    assert (cache / name_of(onnx_file)).read_bytes() == onnx_file


@pytest.mark.parametrize("pushed", ["as an artifact", "as an image"])
def test_behind_a_registry_too(cache: Path, onnx_file: bytes, pushed: str) -> None:
    files = {**NOT_THE_ENCODER, "voices.onnx": onnx_file}
    with serving(FakeRegistry()) as registry:
        pin = (
            pushed_by_oras(registry, files)
            if pushed == "as an artifact"
            else image(registry, gzip.compress(tar(files)))
        )
        url = f"oci://registry.example.com/{OF_REGISTRY}@{pin}"
        report = from_repository(cache, url, onnx_file, model_registry_endpoint=registry.url)
    assert (report.reason, visible(cache)) == ("Fetched", [name_of(onnx_file)]), report.message
    assert (cache / name_of(onnx_file)).read_bytes() == onnx_file


def test_of_two_none_is_taken(cache: Path, onnx_file: bytes) -> None:
    with hub_of({"a.onnx": onnx_file, "b.onnx": onnx_file}) as hub:
        report = from_repository(cache, f"hf://{REPOSITORY}@main", onnx_file, model_hub_endpoint=hub.url)
    assert (report.reason, visible(cache)) == ("NotACheckpoint", [])
    assert "has more than one speaker encoder (a.onnx, b.onnx): keep one of them, or write the https" in report.message


def test_one_that_is_larger_than_any_is_not_fetched() -> None:
    assert ENCODER.largest < WHISPER.largest
