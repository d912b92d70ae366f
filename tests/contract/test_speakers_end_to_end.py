"""A real runtime with a real speaker encoder: two actors' lines, joined, are told apart, and known ones named."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openai
import pytest
from openai.types.audio import TranscriptionDiarized, TranscriptionTextDoneEvent, TranscriptionTextSegmentEvent

from testbed import runtime_process
from testbed.inputs import fillets
from tests.support import plain_http
from tests.support.media_files import ffmpeg
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

Pcm = npt.NDArray[np.int16]
RATE = 16_000
PAUSE = np.zeros(RATE // 2, np.int16)
JOB_SECONDS = 600
LINES = 6
"""Of both actors, by turns."""


@dataclass(frozen=True)
class JoinedLine:
    start: float
    end: float
    actor: str


@dataclass(frozen=True)
class JoinedLines:
    path: Path
    turns: tuple[JoinedLine, ...]


def samples(path: Path, tmp_path: Path) -> Pcm:
    target = tmp_path / "line.s16le"
    ffmpeg("-i", str(path), "-ac", "1", "-ar", str(RATE), "-f", "s16le", str(target))
    return np.fromfile(target, np.int16)


def as_wav(sound: Pcm) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(sound.tobytes())
    return target.getvalue()


def as_data_url(sound: Pcm) -> str:
    return f"data:audio/wav;base64,{base64.b64encode(as_wav(sound)).decode()}"


def long_lines(actor: fillets.Actor, tmp_path: Path) -> Iterator[Pcm]:
    """Lines of three to nine seconds."""
    for path in fillets.lines("nl", actor):
        sound = samples(path, tmp_path)
        if 3 * RATE < len(sound) < 9 * RATE:
            yield sound


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Pcm]]:
    """Of each actor a line that is the reference, and those of the dialogue."""
    tmp_path = tmp_path_factory.mktemp("lines")
    actors: dict[str, fillets.Actor] = {"Small": "m", "Big": "v"}
    found = {name: list(islice(long_lines(actor, tmp_path), 2 + LINES // 2)) for name, actor in actors.items()}
    return {name: [np.concatenate(lines[:2])[: 9 * RATE], *lines[2:]] for name, lines in found.items()}


@pytest.fixture(scope="module")
def dialogue(voices: dict[str, list[Pcm]], tmp_path_factory: pytest.TempPathFactory) -> JoinedLines:
    path, at = tmp_path_factory.mktemp("dialogue") / "dialogue.wav", 0.0
    spoken, turns = [], list[JoinedLine]()
    left = {actor: iter(lines[1:]) for actor, lines in voices.items()}
    for actor in islice(cycle(voices), LINES):
        line = next(left[actor])
        turns.append(JoinedLine(at, at + len(line) / RATE, actor))
        spoken += [line, PAUSE]
        at += (len(line) + len(PAUSE)) / RATE
    path.write_bytes(as_wav(np.concatenate(spoken)))
    return JoinedLines(path, tuple(turns))


@pytest.fixture(scope="module")
def call(dialogue: JoinedLines, tmp_path_factory: pytest.TempPathFactory) -> JoinedLines:
    """The dialogue by telephone: 300 to 3400 Hz, at 8 kHz, by the µ-law."""
    path = tmp_path_factory.mktemp("call") / "call.wav"
    band = "highpass=300:poles=2,highpass=300:poles=2,lowpass=3400:poles=2"
    ffmpeg("-i", str(dialogue.path), "-af", band, "-ar", "8000", "-c:a", "pcm_mulaw", str(path))
    return JoinedLines(path, dialogue.turns)


@pytest.fixture(scope="module")
def client(weights: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    models = {"model": str(weights["base"]), "diarization_model": "resemblyzer"}
    scratch, jobs = tmp_path_factory.mktemp("runtime"), tmp_path_factory.mktemp("jobs")
    with (
        runtime_process.running(scratch, jobs_dir=str(jobs), **models) as runtime,
        openai.OpenAI(base_url=f"{runtime.url}/v1", api_key="none", timeout=600) as client,
    ):
        yield client


def streamed(
    client: openai.OpenAI, dialogue: JoinedLines, voices: dict[str, list[Pcm]]
) -> tuple[list[TranscriptionTextSegmentEvent], str]:
    """The segments, with known speakers, and the text."""
    with dialogue.path.open("rb") as file:
        events = list(
            client.audio.transcriptions.create(
                file=file,
                model="gpt-4o-transcribe-diarize",
                response_format="diarized_json",
                language="nl",
                stream=True,
                known_speaker_names=list(voices),
                known_speaker_references=[as_data_url(lines[0]) for lines in voices.values()],
            )
        )
    assert isinstance(events[-1], TranscriptionTextDoneEvent)
    return [event for event in events if isinstance(event, TranscriptionTextSegmentEvent)], events[-1].text


def fields_with(known: dict[str, list[Pcm]]) -> dict[str, Any]:
    """A request's form fields, with those speakers known."""
    return {
        "model": "whisper-1",
        "response_format": "diarized_json",
        "language": "nl",
        "known_speaker_names[]": list(known),
        "known_speaker_references[]": [as_data_url(lines[0]) for lines in known.values()],
    }


def finished_job(client: openai.OpenAI, dialogue: JoinedLines, fields: dict[str, Any]) -> TranscriptionDiarized:
    path = f"{client.base_url}audio/transcriptions"
    answer = plain_http.post(
        path,
        files={"file": (dialogue.path.name, dialogue.path.read_bytes())},
        data=fields,
        headers={"Prefer": "respond-async"},
        timeout=JOB_SECONDS,
    )
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    eventually("the job ends", lambda: plain_http.get(f"{path}/{job}").json()["ended_at"], JOB_SECONDS)
    return TranscriptionDiarized.model_validate(plain_http.get(f"{path}/{job}/content").json())


def actor_at(dialogue: JoinedLines, start: float, end: float) -> str:
    return max(dialogue.turns, key=lambda turn: min(turn.end, end) - max(turn.start, start)).actor


def test_two_speakers_are_told_apart(client: openai.OpenAI, dialogue: JoinedLines) -> None:
    with dialogue.path.open("rb") as file:
        found = client.audio.transcriptions.create(
            file=file, model="gpt-4o-transcribe-diarize", response_format="diarized_json", language="nl"
        )
    assert isinstance(found, TranscriptionDiarized)
    assert "".join(segment.text for segment in found.segments).strip() == found.text
    assert {segment.speaker for segment in found.segments} == {"A", "B"}
    pairs = [(segment.speaker, actor_at(dialogue, segment.start, segment.end)) for segment in found.segments]
    assert pairs[0] == ("A", "Small")
    right = sum((speaker == "A") == (actor == "Small") for speaker, actor in pairs)
    assert right >= 0.8 * len(pairs), pairs


def test_known_ones_are_named_in_a_stream_and_nobody_gets_anothers_name(
    client: openai.OpenAI,
    dialogue: JoinedLines,
    voices: dict[str, list[Pcm]],
) -> None:
    segments, text = streamed(client, dialogue, voices)
    assert "".join(segment.text for segment in segments).strip() == text
    pairs = [(segment.speaker, actor_at(dialogue, segment.start, segment.end)) for segment in segments]
    named = [(speaker, actor) for speaker, actor in pairs if speaker in voices]
    assert len(named) >= 0.4 * len(pairs), pairs  # how sure it must be of a voice is the encoder's own matter
    assert sum(speaker == actor for speaker, actor in named) >= 0.8 * len(named), pairs


def test_a_job_has_its_references_with_it(
    client: openai.OpenAI, dialogue: JoinedLines, voices: dict[str, list[Pcm]]
) -> None:
    found = finished_job(client, dialogue, fields_with({"Small": voices["Small"]}))
    pairs = [(segment.speaker, actor_at(dialogue, segment.start, segment.end)) for segment in found.segments]
    assert sum((speaker == "Small") == (actor == "Small") for speaker, actor in pairs) >= 0.8 * len(pairs), pairs


def test_callers_are_known_by_clips_of_a_studio_at_once_in_a_stream_and_as_a_job(
    client: openai.OpenAI, call: JoinedLines, voices: dict[str, list[Pcm]]
) -> None:
    fields = fields_with(voices)
    answer = plain_http.post(
        f"{client.base_url}audio/transcriptions",
        files={"file": (call.path.name, call.path.read_bytes())},
        data=fields,
        timeout=JOB_SECONDS,
    )
    at_once = TranscriptionDiarized.model_validate(answer.json()).segments
    in_a_stream, _ = streamed(client, call, voices)
    of_a_job = finished_job(client, call, fields).segments
    said = [[(one.speaker, one.start, one.text) for one in some] for some in (at_once, in_a_stream, of_a_job)]
    assert said[0] == said[1] == said[2]
    pairs = [(segment.speaker, actor_at(call, segment.start, segment.end)) for segment in at_once]
    assert sum(speaker == actor for speaker, actor in pairs) >= 0.8 * len(pairs), pairs


def test_a_silent_reference_is_named(client: openai.OpenAI, dialogue: JoinedLines) -> None:
    with dialogue.path.open("rb") as file, pytest.raises(openai.BadRequestError, match="of 'Eve' holds no speech"):
        client.audio.transcriptions.create(
            file=file,
            model="whisper-1",
            response_format="diarized_json",
            known_speaker_names=["Eve"],
            known_speaker_references=[as_data_url(np.zeros(3 * RATE, np.int16))],
        )
