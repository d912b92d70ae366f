"""OpenAI's official clients, unmodified, get speakers as their types promise, streamed and not, and as a job."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.audio import TranscriptionDiarized

from tests.fakes.diarizer import FakeDiarizer
from tests.fakes.engine import FakeEngine
from tests.support.openai_clients import OpenAiCall, OpenAiClient
from tests.support.runtime_server import fake_server
from whisper_runtime.diarization.interface import SpeakerBounds, SpeakerTurn

pytestmark = pytest.mark.slow

VOICES = [f"data:audio/wav;base64,{base64.b64encode(content).decode()}" for content in (b"speech 2", b"speech 10")]
KNOWN = {"known_speaker_names": ["Ada", "Bob"], "known_speaker_references": VOICES}
SEGMENTS = [
    {"type": "transcript.text.segment", "id": "seg_0", "start": 0, "end": 1, "speaker": "Ada", "text": " Ask"},
    {"type": "transcript.text.segment", "id": "seg_1", "start": 1, "end": 2.5, "speaker": "A", "text": " not."},
]
AT_ONCE = [one | {"overlap": True} for one in SEGMENTS]


@pytest.fixture
def diarizer() -> FakeDiarizer:
    return FakeDiarizer([SpeakerTurn(0.0, 1.0, "Ada"), SpeakerTurn(1.0, 2.5, "A")])


@pytest.fixture
def url(diarizer: FakeDiarizer, tmp_path: Path) -> Iterator[str]:
    with fake_server(FakeEngine(), diarizer=diarizer, jobs_dir=str(tmp_path / "jobs")) as url:
        yield url


def diarized(clip: str, **params: Any) -> OpenAiCall:
    wanted = {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"}
    return OpenAiCall("transcribe", wanted | params, clip)


def test_segments_with_speakers(client: OpenAiClient, url: str, clip: str, diarizer: FakeDiarizer) -> None:
    found = client(url, diarized(clip, **KNOWN))
    assert found.value == {
        "task": "transcribe",
        "duration": 2.5,
        "text": "Ask not.",
        "segments": SEGMENTS,
        "usage": {"type": "duration", "seconds": 3},
    }
    assert diarizer.asked == [(2.5, SpeakerBounds(), [("Ada", 2.0), ("Bob", 10.0)])]


def test_a_stream(client: OpenAiClient, url: str, clip: str) -> None:
    delta, *segments, done = client(url, diarized(clip, stream=True)).events
    assert (delta["type"], delta["delta"]) == ("transcript.text.delta", "Ask not.")
    assert segments == SEGMENTS
    assert (done["type"], done["text"]) == ("transcript.text.done", "Ask not.")


def test_two_at_once_are_told_by_a_field_that_clients_of_openais_pass_on(
    client: OpenAiClient, url: str, clip: str, diarizer: FakeDiarizer
) -> None:
    diarizer.answer = [SpeakerTurn(0.0, 1.0, "Ada"), SpeakerTurn(1.0, 2.5, "A", overlaps=True)]
    assert client(url, diarized(clip)).value["segments"] == AT_ONCE
    assert client(url, diarized(clip, stream=True)).events[1:-1] == AT_ONCE


@pytest.mark.parametrize("strategy", ["auto", {"type": "server_vad", "threshold": 0.3}])
def test_the_chunking_that_openai_asks_for_is_taken(
    client: OpenAiClient, url: str, clip: str, strategy: str | dict[str, Any]
) -> None:
    """And the recordings here have no speech."""
    found = client(url, diarized(clip, chunking_strategy=strategy)).value
    assert (found["text"], found["segments"]) == ("", [])


def test_language_and_temperature_are_taken_streamed_and_not(client: OpenAiClient, url: str, clip: str) -> None:
    options = {"language": "en", "temperature": 0.2, **KNOWN}
    assert client(url, diarized(clip, **options)).value["segments"] == SEGMENTS
    assert client(url, diarized(clip, stream=True, **options)).events[1:-1] == SEGMENTS


def test_the_python_clients_own_type(url: str, clip: str) -> None:
    with open(clip, "rb") as file, openai.OpenAI(base_url=f"{url}/v1", api_key="none") as own:
        found = own.audio.transcriptions.create(
            file=file, model="gpt-4o-transcribe-diarize", response_format="diarized_json", chunking_strategy=None
        )
    assert isinstance(found, TranscriptionDiarized)
    assert [(segment.speaker, segment.text) for segment in found.segments] == [("Ada", " Ask"), ("A", " not.")]


def test_a_job(url: str, clip: str) -> None:
    fields = {"model": "whisper-1", "response_format": "diarized_json"}
    answer = httpx.post(
        f"{url}/v1/audio/transcriptions",
        files={"file": ("clip.wav", Path(clip).read_bytes())},
        data=fields,
        headers={"Prefer": "respond-async, wait=60"},
        timeout=90,
    )
    assert (answer.status_code, answer.json()["segments"]) == (200, SEGMENTS)
    events = httpx.get(f"{url}{answer.headers['content-location'].removesuffix('/content')}/events", timeout=60).text
    assert '"type":"transcript.text.segment","id":"seg_1"' in events


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"known_speaker_names": ["Ada"]}, "known_speaker_references[]"),
        ({"known_speaker_names": ["Ada"], "known_speaker_references": ["x"]}, "known_speaker_references[]"),
        ({"prompt": "Hallo"}, "prompt"),
        ({"include": ["logprobs"]}, "include[]"),
        ({"timestamp_granularities": ["segment"]}, "timestamp_granularities[]"),
    ],
)
def test_what_openai_refuses_is_refused(
    client: OpenAiClient, url: str, clip: str, params: dict[str, Any], param: str
) -> None:
    error = client(url, diarized(clip, **params)).error
    assert error is not None
    assert (error["status"], error["type"], error["param"]) == (400, "invalid_request_error", param)
