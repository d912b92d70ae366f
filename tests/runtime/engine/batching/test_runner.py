"""Queries about a window are answered from its slot, and each stage is timed."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
import torch
import whisper

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import FaultyRunner
from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.sequence import Slot
from whisper_runtime.engine.policy.queries import (
    AlignTokens,
    DecodedTokens,
    DecodeWindow,
    DecodingParams,
    DetectedLanguage,
    DetectLanguage,
    Pause,
    Window,
)

WINDOW = Window(torch.zeros(80, 3000), 30.0)
SECONDS = 120
PROMPT = (50258, 50259, 50359)


@pytest.fixture(params=[False, True], ids=["batch", "search"])
def slot(runner: FaultyRunner, request: pytest.FixtureRequest) -> Slot:
    with torch.inference_mode():
        return runner.allocate([WINDOW], runner.encode(WINDOW.mel[None]), [request.param])[0]


@torch.inference_mode()
def test_a_window_is_decoded_over_several_steps(runner: FaultyRunner, slot: Slot, observer: CountingObserver) -> None:
    query = DecodeWindow(WINDOW, DecodingParams(PROMPT, 0))
    while (result := runner.answer(slot, query)) is None:
        if isinstance(slot, SearchSlot):
            runner.decode_search(slot)
        else:
            runner.decode_batch(slot.row, 1)
    assert isinstance(result, DecodedTokens)
    assert observer.stages.count("encode") == 1
    assert observer.stages.count("decode_step") == len(result.tokens) - 1
    assert observer.fallbacks == 0


@torch.inference_mode()
def test_other_parameters_for_the_same_window_are_a_fallback(
    runner: FaultyRunner, slot: Slot, observer: CountingObserver
) -> None:
    for _ in range(3):
        runner.answer(slot, DecodeWindow(WINDOW, DecodingParams(PROMPT, 0)))
    assert observer.fallbacks == 2


@torch.inference_mode()
def test_a_language_comes_at_once_and_an_alignment_later(
    runner: FaultyRunner, slot: Slot, observer: CountingObserver
) -> None:
    tokenizer = runner.tokenizer.english
    tokens = (*tokenizer.sot_sequence, tokenizer.no_timestamps, 400, 401, tokenizer.eot)
    alignment = runner.answer(slot, AlignTokens(WINDOW, tokens, len(tokenizer.sot_sequence), 3000))
    assert isinstance(runner.answer(slot, DetectLanguage(WINDOW)), DetectedLanguage)
    assert isinstance(alignment, Future)
    assert len(alignment.result(SECONDS).probabilities) == 2
    assert observer.stages == ["encode", "detect"]


@torch.inference_mode()
@pytest.mark.parametrize("among", [(), ("de", "en"), ("haw", "ln", "yi"), ("ja",)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_language_is_the_likeliest_by_whispers_own_probabilities(
    runner: FaultyRunner, checkpoint: Path, among: tuple[str, ...], seed: int
) -> None:
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed))
    _, probabilities = whisper.load_model(str(checkpoint), "cpu").detect_language(mel)
    likeliest = max(among or probabilities, key=lambda code: probabilities[code])
    window = Window(mel, 30.0)
    for is_searched in (False, True):
        (slot,) = runner.allocate([window], runner.encode(mel[None]), [is_searched])
        found = runner.answer(slot, DetectLanguage(window, among))
        assert isinstance(found, DetectedLanguage)
        assert found.code == likeliest
        assert found.probability == pytest.approx(probabilities[likeliest], abs=1e-5)


@torch.inference_mode()
def test_an_alignment_changes_the_number_of_no_other_threads_threads(runner: FaultyRunner, slot: Slot) -> None:
    tokenizer, before = runner.tokenizer.english, torch.get_num_threads()
    tokens = (*tokenizer.sot_sequence, tokenizer.no_timestamps, 400, tokenizer.eot)
    runner.align(slot, AlignTokens(WINDOW, tokens, len(tokenizer.sot_sequence), 3000)).result(SECONDS)
    assert torch.get_num_threads() == before


def test_a_pause_has_no_result(runner: FaultyRunner, slot: Slot) -> None:
    assert runner.answer(slot, Pause()) is None


@torch.inference_mode()
def test_a_stage_that_raises_is_not_timed(runner: FaultyRunner, observer: CountingObserver) -> None:
    with pytest.raises(RuntimeError):
        runner.encode(torch.zeros(1, 79, 3000))
    assert observer.stages == []


def test_a_search_takes_no_slot_of_the_batch(runner: FaultyRunner, slot: Slot) -> None:
    taken = 0 if isinstance(slot, SearchSlot) else 1
    assert len(runner.batch.slots) == taken
    runner.free(slot)
    assert runner.batch.slots == []
