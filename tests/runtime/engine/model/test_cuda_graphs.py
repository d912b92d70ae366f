"""A decode step that is captured and replayed computes what the eager step does, for any rows at any positions.

A CUDA graph consists of operations on tensors at fixed addresses. So does the capture here, on a CPU.
"""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import FaultyRunner, faulty_runner
from tests.runtime.engine.conftest import hum, iterate_until, submit
from whisper_runtime.engine.batching.sampling import Sampler
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.batching.sequence import Slot
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.model.cuda_graphs import (
    SHORT_CONTEXT,
    Capture,
    Choose,
    EagerStep,
    GraphedStep,
    Launch,
    MakeDecodeStep,
    decode_step,
)
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import (
    DecodedTokens,
    DecodeWindow,
    DecodingParams,
    DetectedLanguage,
    DetectLanguage,
    Query,
    QueryResult,
    Window,
)
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer
from whisper_runtime.engine.transcription import Options, Transcription

ROWS = 12


class OperationRecorder(TorchDispatchMode):
    """Keeps each operation, with the tensors that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, found))
        return found


class FakeCapture:
    """Captures steps, and counts captures and replays."""

    def __init__(self) -> None:
        self.captures = self.replays = 0

    def __call__(self, launch: Launch) -> Launch:
        self.captures += 1
        with OperationRecorder() as recorder:
            found, logits = launch()

        def replay() -> tuple[torch.Tensor, torch.Tensor]:
            self.replays += 1
            anew: dict[int, Any] = {}
            for func, args, kwargs, result in recorder.calls:
                self._keep(result, func(*_replaced(args, anew), **_replaced(kwargs, anew)), anew)
            return anew[id(found)], anew[id(logits)]

        return replay

    def _keep(self, before: Any, now: Any, anew: dict[int, Any]) -> None:
        if isinstance(before, torch.Tensor):
            anew[id(before)] = now
        elif isinstance(before, list | tuple):
            for one, other in zip(before, now, strict=True):  # pyright: ignore[reportUnknownVariableType]
                self._keep(one, other, anew)


def _replaced(value: Any, anew: dict[int, Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return anew.get(id(value), value)
    if isinstance(value, list | tuple):
        return type(value)(_replaced(one, anew) for one in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {name: _replaced(one, anew) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


@pytest.fixture
def cache(smallest: WhisperModel) -> KVCache:
    """Each row attends to another window, and has other tokens up to the last position."""
    torch.manual_seed(2)
    with torch.inference_mode():
        cache = smallest.decoder.new_cache(ROWS, 1500)
        smallest.decoder.cache_windows(torch.randn(ROWS, 1500, 16), cache, 0)
        cache.self_attention.normal_()
    return cache


@pytest.fixture
def sampler(smallest: WhisperModel) -> Sampler:
    dims = smallest.dims
    return Sampler(ModelTokenizer(True, smallest.num_languages, dims.n_vocab, dims.n_text_ctx), smallest.device)


@pytest.fixture
def capture() -> FakeCapture:
    return FakeCapture()


def recorded(smallest: WhisperModel, cache: KVCache, sampler: Sampler, capture: Capture) -> GraphedStep:
    """Leaves the cache as it was but for the last position, which no row reads before it has written there."""
    kept = cache.self_attention.clone()
    with torch.inference_mode():
        step = GraphedStep(smallest.decoder, cache, sampler.choose, sampler.num_rules, capture, pinned=False)
        cache.self_attention.copy_(kept)
    return step


@pytest.fixture
def graphed(smallest: WhisperModel, cache: KVCache, sampler: Sampler, capture: FakeCapture) -> GraphedStep:
    return recorded(smallest, cache, sampler, capture)


Same = Callable[[GraphedStep, Sequence[int]], bool]


@pytest.fixture
def same(smallest: WhisperModel, cache: KVCache, sampler: Sampler) -> Same:
    """Whether a step at these positions finds the same, and leaves the same in the cache of every row.

    Every third row reads its prompt, every third one reads <|startoftranscript|>, every third one samples a window's
    first token.
    """

    def compare(graphed: GraphedStep, starts: Sequence[int], first: int = 0) -> bool:
        twin = copy.deepcopy(cache)
        eager = EagerStep(smallest.decoder, twin, sampler.choose, sampler.num_rules)
        params = DecodingParams((1, 2), 0)
        ways = [(params, False), (None, True), (None, False)]
        rows = [
            (100 + start, start, *sampler.rules((), samples, at_sot=at_sot))
            for start, (samples, at_sot) in zip(starts, itertools.cycle(ways), strict=False)
        ]
        with torch.inference_mode():
            wanted, found = eager(rows, first), graphed(rows, first)
        are_at_sot = torch.tensor([at_sot for _, at_sot in itertools.islice(itertools.cycle(ways), len(starts))])
        left, wanted_left = (one.self_attention[..., :-1, :] for one in (cache, twin))
        return (
            torch.allclose(wanted.logits, found.logits, atol=1e-5)
            and torch.allclose(wanted.found[:, :2], found.found[:, :2], atol=1e-5)
            and torch.allclose(wanted.found[are_at_sot], found.found[are_at_sot], atol=1e-5)
            and torch.allclose(wanted_left, left, atol=1e-5)
        )

    return compare


def test_all_steps_are_recorded_when_the_step_is_made(graphed: GraphedStep, capture: FakeCapture) -> None:
    """Given sizes 1, 2, 4, 8 and 12, and two lengths."""
    assert (graphed.is_recorded, capture.captures, capture.replays) == (True, 10, 0)


def test_a_replay_is_the_eager_step_for_any_rows_at_any_positions(
    graphed: GraphedStep, same: Same, cache: KVCache, capture: FakeCapture
) -> None:
    """Given steps of one and of twelve rows, near and far, each replayed with other tokens at other positions."""
    far = cache.positions - 1
    for starts in (
        [4],
        [9],
        [4, 5, 6],
        [60, 7, 8],
        [SHORT_CONTEXT - 1],
        [SHORT_CONTEXT],
        [far],
        [3] * 7 + [far],
        list(range(ROWS)),
    ):
        assert same(graphed, starts), starts
    assert (capture.captures, capture.replays) == (10, 9)


def test_padding_rows_overwrite_no_other_rows_tokens(graphed: GraphedStep, same: Same, cache: KVCache) -> None:
    """Given a step of three rows, which is replayed as one of four: the fourth row has tokens of its own."""
    assert same(graphed, [4, 5, 6])
    assert same(graphed, [4, 5, 6, cache.positions - 1])


def test_a_step_that_does_not_begin_at_the_first_row_is_eager(
    graphed: GraphedStep, same: Callable[..., bool], capture: FakeCapture
) -> None:
    assert same(graphed, [4, 50], first=3)
    assert capture.replays == 0


def test_where_nothing_can_be_captured_the_steps_are_eager_and_one_warning_says_so(
    smallest: WhisperModel, cache: KVCache, sampler: Sampler, same: Same, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot(launch: Launch) -> Launch:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    with caplog.at_level(logging.WARNING):
        step = recorded(smallest, cache, sampler, cannot)
        assert same(step, [4, 5])
        assert same(step, [5])
    assert not step.is_recorded
    assert [record.getMessage() for record in caplog.records] == [
        "Decode steps of 1, 2, 4, 8, 12 rows are slower than they might be: they cannot be captured as CUDA graphs: "
        "CUDA error: operation not permitted when stream is capturing"
    ]


def test_where_memory_is_short_steps_of_fewer_rows_are_recorded(
    smallest: WhisperModel, cache: KVCache, sampler: Sampler, same: Same, capture: FakeCapture
) -> None:
    def two_fit(launch: Launch) -> Launch:
        if len(launch()[0]) > 2:
            raise torch.OutOfMemoryError
        return capture(launch)

    step = recorded(smallest, cache, sampler, two_fit)
    assert same(step, [4, 5, 6])
    assert capture.replays == 0
    assert same(step, [4, 5])
    assert (step.is_recorded, capture.replays) == (True, 1)


OPTIONS = [Options(language="en", prompt="ask " * n, temperatures=(0.0,)) for n in range(5)]
OTHERS = [
    Options(temperatures=(0.0,)),
    Options(language="de", task="translate", without_timestamps=True, temperatures=(0.0,)),
    Options(language="en", temperatures=(0.7,), seed=3),
]


def test_requests_get_the_same_text(smallest: WhisperModel, capture: FakeCapture) -> None:
    """Given requests of different lengths, prompts, tasks and temperatures, which come and go, some without a language.

    Where steps are replayed, prompts and detections are steps too; elsewhere they are passes of their own.
    """

    def decoded(make_step: MakeDecodeStep, observer: CountingObserver) -> list[Transcription]:
        scheduler = Scheduler(faulty_runner(smallest, observer, 4, make_step), observer, ThroughputMeter())
        futures = [
            submit(scheduler, hum(2 + 9 * n, 100 + 40 * n), options) for n, options in enumerate([*OPTIONS, *OTHERS])
        ]
        iterate_until(scheduler, lambda: all(future.done() for future in futures))
        return [future.result() for future in futures]

    def graphed(decoder: Decoder, cache: KVCache, choose: Choose, num_rules: int) -> GraphedStep:
        return GraphedStep(decoder, cache, choose, num_rules, capture, pinned=False)

    replayed, eager = CountingObserver(), CountingObserver()
    found, wanted = decoded(graphed, replayed), decoded(decode_step, eager)
    assert [said(one) for one in found] == [said(one) for one in wanted]
    assert set(replayed.launches) == {True}
    assert set(eager.launches) == {False}


def said(found: Transcription) -> tuple[str, list[tuple[int, ...]]]:
    return found.language, [segment.tokens for segment in found.segments]


@pytest.mark.parametrize("among", [(), ("ln", "haw")], ids=["any", "two"])
def test_a_window_is_known_as_well_by_steps_as_by_a_pass_of_its_own(
    smallest: WhisperModel, capture: FakeCapture, among: tuple[str, ...]
) -> None:
    """Given a detection and a decoding of one window: language, speech and every probability."""

    def results(make_step: MakeDecodeStep) -> tuple[DetectedLanguage, DecodedTokens]:
        runner = faulty_runner(smallest, CountingObserver(), 4, make_step)
        window = Window(torch.full((80, 3000), 0.3), 30.0)
        with torch.inference_mode():
            (slot,) = runner.allocate([window], runner.encode(window.mel[None]), [False])
            language, decoded = (
                until_answered(runner, slot, query)
                for query in (
                    DetectLanguage(window, among),
                    DecodeWindow(window, DecodingParams((50258, 50259, 50359), 0)),
                )
            )
        assert isinstance(language, DetectedLanguage)
        assert isinstance(decoded, DecodedTokens)
        return language, decoded

    def graphed(decoder: Decoder, cache: KVCache, choose: Choose, num_rules: int) -> GraphedStep:
        return GraphedStep(decoder, cache, choose, num_rules, capture, pinned=False)

    (language, decoded), (wanted_language, wanted) = results(graphed), results(decode_step)
    assert language.code == wanted_language.code
    assert language.code in (among or language.code)
    assert language.probability == pytest.approx(wanted_language.probability, rel=1e-4)
    assert decoded.tokens == wanted.tokens
    assert decoded.logprobs == pytest.approx(wanted.logprobs, rel=1e-4)
    assert decoded.no_speech_prob == pytest.approx(wanted.no_speech_prob, rel=1e-4)


def until_answered(runner: FaultyRunner, slot: Slot, query: Query) -> QueryResult:
    while (result := runner.answer(slot, query)) is None:
        runner.decode_batch(slot.row, 1)
    return result
