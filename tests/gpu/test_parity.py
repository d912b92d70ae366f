"""tiny.en says on this device what `whisper.transcribe` says on it, alone, among others and among copies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import whisper

from benchmarks.parity import run
from benchmarks.parity.corpus import PLAIN, ParityCase
from benchmarks.parity.sounds import VOICES, voice
from whisper_runtime.engine.batching.scheduler import Scheduler, build_scheduler
from whisper_runtime.engine.interface import NullObserver
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.model.precision import Precision
from whisper_runtime.engine.transcription import Transcription

pytestmark = pytest.mark.slow

CASES = [ParityCase(name, "tiny.en", voice(name), PLAIN) for name in VOICES]


@pytest.fixture(scope="module")
def engine(model: WhisperModel) -> Scheduler:
    return build_scheduler(model, NullObserver())


@pytest.fixture(scope="module")
def wanted(checkpoint: Path, device: torch.device, precision: Precision) -> dict[str, list[int]]:
    """The tokens of each recording, by upstream."""
    upstream: Any = whisper.load_model(str(checkpoint), device=device.type)
    fp16 = precision == "float16"
    return {
        case.name: [
            token
            for segment in upstream.transcribe(case.samples, language="en", temperature=0.0, fp16=fp16)["segments"]
            for token in segment["tokens"]
        ]
        for case in CASES
    }


def tokens(found: Transcription) -> list[int]:
    return [token for segment in found.segments for token in segment.tokens]


def test_alone(engine: Scheduler, wanted: dict[str, list[int]]) -> None:
    assert {case.name: tokens(run.alone(engine, case)) for case in CASES} == wanted


def test_among_others(engine: Scheduler, wanted: dict[str, list[int]]) -> None:
    assert {case.name: tokens(found) for case, found in run.among_others(engine, CASES)} == wanted


def test_among_copies(engine: Scheduler, wanted: dict[str, list[int]]) -> None:
    case = CASES[0]
    assert [tokens(found) for found in run.among_copies(engine, case)] == [wanted[case.name]] * run.COPIES


def test_words_have_times(engine: Scheduler) -> None:
    found = run.transcribe(engine, CASES[0].samples, replace(PLAIN, word_timestamps=True))
    words = [word for segment in found.segments for word in segment.words]
    assert len(words) > 10
    assert all(word.start <= word.end for word in words)
