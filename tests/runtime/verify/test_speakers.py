"""A dialogue of two is told apart by the whole server: its upload, its words, its segments."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.fakes.diarizer import FakeDiarizer
from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.runtime.verify.conftest import GOOD, CannedClient, decode, options, outcomes, target
from tests.support.runtime_server import fake_server
from whisper_runtime.engine.transcription import Word
from whisper_runtime.media.two_voices import TURNS
from whisper_runtime.verify.checks import CheckFailed
from whisper_runtime.verify.run import verify
from whisper_runtime.verify.speakers import tells_speakers


def check(*segments: tuple[float, float, str]) -> str:
    found = [{"start": start, "end": end, "speaker": speaker, "text": " Well."} for start, end, speaker in segments]
    return tells_speakers(target(CannedClient(json.dumps({"segments": found}))))


def test_the_right_speakers_pass_whatever_the_words_are() -> None:
    said = check((0.0, 3.2, "A"), (3.2, 6.4, "B"), (6.4, 9.8, "A"), (9.8, 13.5, "B"))
    assert said == "2 speakers in a dialogue of two, and 100% of its seconds are the right one's"


@pytest.mark.parametrize(
    "segments",
    [
        ((0.0, 13.5, "A"),),
        ((0.0, 3.2, "A"), (3.2, 6.4, "B"), (6.4, 9.8, "C"), (9.8, 13.5, "B")),
        ((0.0, 6.4, "A"), (6.4, 13.5, "B")),
        (),
    ],
)
def test_others_fail_with_the_field_to_look_at(segments: tuple[tuple[float, float, str], ...]) -> None:
    with pytest.raises(CheckFailed, match=r"speakers in a dialogue of two.*look at spec\.diarization\.model"):
        check(*segments)


def test_a_server_that_knows_no_speakers_fails_it_and_says_how_to_switch_them_on(golden: str) -> None:
    with fake_server(FakeEngine(), decode) as url:
        report = verify(options(url, golden, tells_speakers=True))
    assert outcomes(report, True) == GOOD
    [failed] = [check for check in report.checks if not check.passed]
    assert (failed.name, "set spec.diarization to {}" in failed.message) == ("speakers", True)


def test_it_is_a_check_where_the_server_tells_speakers_apart(golden: str) -> None:
    engine = FakeEngine()
    words = tuple(
        Word(word, turn.start, turn.end, 0.9) for turn, word in zip(TURNS, (" Ask", " not", " a", " b"), strict=True)
    )
    engine.answer = replace(
        SPOKEN, duration=14.0, segments=(replace(SEGMENT, end=14.0, text=" Ask not a b", words=words),)
    )
    with fake_server(engine, decode, FakeDiarizer(TURNS)) as url:
        report = verify(options(url, golden, tells_speakers=True))
        off = verify(options(url, golden))
    assert "speakers" in outcomes(report, True), report.to_json()
    assert "speakers" not in outcomes(off, True) | outcomes(off, False)
