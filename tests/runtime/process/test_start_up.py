"""Each step of the start finds out something about the model, or ends with one sentence."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path
from typing import Any

import pytest

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.media.self_test import NotProven
from whisper_runtime.metrics import Metrics
from whisper_runtime.process.start_up import CannotStart, StartUp
from whisper_runtime.service.model_info import ServedModel


def start_up(**config: Any) -> tuple[StartUp, ServedModel, Metrics]:
    configured = RuntimeConfig(**config)
    model, metrics = ServedModel(configured), Metrics("base")
    return StartUp(configured, model, metrics), model, metrics


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"weights")
    return path


def test_a_file_that_is_given_by_its_path_is_known_by_its_own_digest(mine: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    for sha256 in (None, digest):
        start, _, _ = start_up(model=str(mine), model_sha256=sha256)
        assert start.fetch(mine) == digest


def test_a_file_of_another_digest_than_was_promised_is_not_served(mine: Path) -> None:
    start, _, _ = start_up(model=str(mine), model_sha256="a" * 64)
    with pytest.raises(CannotStart, match=r"mine\.pt has sha256 9a12.*, but WHISPER_MODEL_SHA256 is aaaa.*: correct"):
        start.fetch(mine)


@pytest.mark.parametrize(("name", "why"), [("missing.pt", "No such file or directory"), (".", "Is a directory")])
def test_a_path_that_is_not_a_file_is_named(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    start, _, _ = start_up(model=str(path))
    with pytest.raises(CannotStart, match=rf"which cannot be read \({why}\): correct the path"):
        start.fetch(path)


def test_a_loaded_model_has_its_digest_its_abilities_and_its_device(weights: dict[str, Path]) -> None:
    start, model, metrics = start_up(model=str(weights["tiny.en"]), device="cpu")
    start.bring_up()
    digest = hashlib.sha256(weights["tiny.en"].read_bytes()).hexdigest()
    assert (model.info.digest, model.info.english_only, model.info.default_language) == (digest, True, "en")
    labels = {"model": "base", "digest": digest, "device": "cpu", "compute_type": "float32"}
    assert metrics.registry.get_sample_value("whisper_model_info", labels) == 1
    assert metrics.registry.get_sample_value("whisper_load_phase_seconds", {"phase": "load"})


def test_an_english_only_file_is_known_by_its_content(weights: dict[str, Path], tmp_path: Path) -> None:
    renamed = tmp_path / "mine.pt"
    renamed.symlink_to(weights["tiny.en"])
    start, _, _ = start_up(language="de", device="cpu")
    with pytest.raises(CannotLoad, match="WHISPER_LANGUAGE is 'de', which this English-only model"):
        start.load(renamed)


def test_a_language_that_the_model_lacks_is_refused_once_it_is_loaded(weights: dict[str, Path]) -> None:
    start, _, _ = start_up(language="yue", device="cpu")
    with pytest.raises(CannotLoad) as error:
        start.load(weights["base"])
    assert str(error.value) == (
        "WHISPER_LANGUAGE is 'yue', which this model of 99 languages does not know: "
        "set auto, or take a model such as large-v3"
    )


def test_a_model_that_transcribes_the_clip_wrong_is_not_proven(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(3200))
    (tmp_path / "clip.txt").write_text("Ask not.")
    start, _, metrics = start_up(golden_dir=str(tmp_path))
    start.prove(lambda *_: "ask not")
    with pytest.raises(NotProven):
        start.prove(lambda *_: "thank you")
    assert metrics.registry.get_sample_value("whisper_load_phase_seconds", {"phase": "prove"})


@pytest.mark.parametrize("compute_type", ["float32", "bfloat16"])
def test_a_model_in_bfloat16_measures_what_that_is_worth(weights: dict[str, Path], compute_type: str) -> None:
    start, _, metrics = start_up(device="cpu", compute_type=compute_type)
    start.load(weights["tiny.en"])
    [speed] = [one for one in metrics.registry.collect() if one.name == "whisper_bfloat16_speed_ratio"]
    assert len(speed.samples) == (compute_type == "bfloat16")
