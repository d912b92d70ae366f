"""A speaker encoder is fetched as a model is, and checked as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.fakes.mirror import Mirror, refusing
from tests.runtime.fetch.conftest import QUICK, digest, name_of, saved, visible
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


def test_one_that_is_larger_than_any_is_not_fetched() -> None:
    assert ENCODER.largest < WHISPER.largest
