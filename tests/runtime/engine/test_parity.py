"""The engine's words, times and tokens are those of `whisper.transcribe`, alone and among other requests.

A sample of the corpus; `python -m benchmarks.parity` tries all of it.
"""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.parity import compare, run, upstream
from benchmarks.parity.corpus import MODELS, ParityCase, cases
from testbed import wheels
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.batching.scheduler import Scheduler

pytestmark = pytest.mark.slow

SAMPLE: Final = {
    "tiny.en": (
        "jfk",
        "jfk/words",
        "jfk/beam-5",
        "jfk/speed-1.6",
        "0870/first-half",
        "0870/prompt-0",
        "0880/untimed",
        "0880/words",
        "0880/beam-2",
        "jfk/in-hiss",
        "0890/prompt-1",
        "0920/middle",
        "0930/beam-5",
        "0930/words",
        "0880/in-hiss",
        "silence-1",
        "hiss-1",
        "long/words",
        "long/keywords",
        "pauses/skips-1.0",
    ),
    "base": ("0880", "0930/auto", "0880/words", "0930/translate", "pl/auto", "nl/translate", "de", "0880/early"),
}


@pytest.fixture(scope="module", params=MODELS)
def sample(request: pytest.FixtureRequest) -> tuple[Scheduler, list[ParityCase]]:
    name = request.param
    chosen = [case for case in cases() if case.model == name and case.name.removesuffix(f"/{name}") in SAMPLE[name]]
    assert len(chosen) == len(SAMPLE[name])
    return run.scheduler(name), chosen


def test_alone(sample: tuple[Scheduler, list[ParityCase]]) -> None:
    engine, chosen = sample
    found = {case.name: compare.differences(run.alone(engine, case), upstream.result(case)) for case in chosen}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_with_speakers_beside_the_model(sample: tuple[Scheduler, list[ParityCase]]) -> None:
    engine, chosen = sample
    diarizer = load_diarizer(str(wheels.ensure(wheels.RESEMBLYZER)))
    of_words = [case for case in chosen if case.options.word_timestamps]
    found = {case.name: run.with_speakers(engine, diarizer, case) for case in of_words}
    lines = {case.name: compare.differences(found[case.name], upstream.result(case)) for case in of_words}
    assert {name: some for name, some in lines.items() if some} == {}
    assert all(word.speaker for one in found.values() for segment in one.segments for word in segment.words)


def test_among_others_that_come_and_go(sample: tuple[Scheduler, list[ParityCase]]) -> None:
    engine, chosen = sample
    found = {
        case.name: compare.differences(result, upstream.result(case))
        for case, result in run.among_others(engine, chosen)
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_among_copies_of_itself(sample: tuple[Scheduler, list[ParityCase]]) -> None:
    engine, chosen = sample
    results = run.among_copies(engine, chosen[0])
    assert len(results) == run.COPIES
    assert [compare.differences(result, upstream.result(chosen[0])) for result in results] == [[]] * run.COPIES


def test_the_corpus_has_two_hundred_cases_and_each_has_its_name() -> None:
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names) >= 200
