"""What is kept of a request and of a transcription comes back as it was, to the last digit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fakes.engine import ENGLISH, MULTILINGUAL, SEGMENT, SPOKEN, TURBO
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.service.jobs.content import JobRequest, JobResult, KeptRecording


def request(*recordings: KeptRecording, **options: Any) -> JobRequest:
    return JobRequest(Options(**options), recordings, len(recordings) > 1, {"task": "transcribe", "lines": None})


@pytest.mark.parametrize(
    "kept",
    [
        request(KeptRecording(16_000, None)),
        request(KeptRecording(16_000, ()), KeptRecording(16_000, (0.1, 0.30000000000000004))),
        request(language="de", languages=("de", "fr"), prompt="Straße \u2028 \0 \U0001f600", keywords="a, b"),
        request(temperatures=(0.1,), seed=2**62, beam_size=5, patience=1.5, best_of=3, clip_timestamps=(0.0, 1.5)),
    ],
)
def test_a_request_comes_back(kept: JobRequest) -> None:
    assert JobRequest.from_json(kept.to_json()) == kept


@pytest.mark.parametrize(
    "found",
    [
        SPOKEN,
        Transcription("", "en", 0.0, ()),
        replace(SPOKEN, language_probability=0.1 + 0.2, channels=2, text="Straße \U0001f600 \ufffd"),
        replace(SPOKEN, segments=(replace(SEGMENT, avg_logprob=-math.inf, channel=1, start=1 / 3),)),
    ],
)
def test_a_transcription_comes_back(found: Transcription) -> None:
    result = JobResult(found, "base", english_only=True)
    assert JobResult.from_json(result.to_json()) == result


def test_a_number_that_is_none_comes_back_as_such() -> None:
    result = JobResult(replace(SPOKEN, segments=(replace(SEGMENT, no_speech_prob=math.nan),)), "base", False)
    (segment,) = JobResult.from_json(result.to_json()).transcription.segments
    assert math.isnan(segment.no_speech_prob)


def test_recordings_are_split_as_they_were_put_together() -> None:
    kept = request(KeptRecording(3, None), KeptRecording(2, (0.0, 1.0)))
    one, other = kept.split(np.arange(5, dtype=np.float32))
    assert (one.samples.tolist(), one.clips) == ([0, 1, 2], None)
    assert (other.samples.tolist(), other.clips) == ([3, 4], (0.0, 1.0))
    with pytest.raises(ValueError, match="has 4 samples, and 5 were kept"):
        kept.split(np.zeros(4, np.float32))


@pytest.mark.parametrize(
    ("options", "abilities", "says"),
    [
        ({"language": "de"}, MULTILINGUAL, None),
        ({"language": "en"}, ENGLISH, None),
        ({}, ENGLISH, None),
        ({"language": "de"}, ENGLISH, "does not know the language de"),
        ({"languages": ("en", "de")}, ENGLISH, "does not know the language de"),
        ({"language": "yue"}, MULTILINGUAL, "does not know the language yue"),
        ({"task": "translate"}, TURBO, "does not translate"),
        ({"task": "translate"}, MULTILINGUAL, None),
    ],
)
def test_a_model_that_cannot_do_it_is_found_out_before_it_tries(
    options: dict[str, Any], abilities: Abilities, says: str | None
) -> None:
    error = request(**options).misfit(abilities)
    assert (error is None) == (says is None)
    assert (says or "") in str(error and error["message"])
