"""What requests that share a batch mean to each other: nothing but time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest
import torch

from tests.runtime.engine.conftest import Counts, ask, hum, until
from whisper_runtime.engine.batching.scheduler import Table
from whisper_runtime.engine.batching.worker import table_of
from whisper_runtime.engine.interface import OutOfMemory
from whisper_runtime.engine.model import device
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.transcription import Options, Segment, Transcription

pytestmark = pytest.mark.usefixtures("short_windows")

OPTIONS = Options(language="en", temperatures=(0.0,))
DIFFERENT = (
    OPTIONS,
    Options(language="de", task="translate", temperatures=(0.0,)),
    Options(language="en", prompt="Ask not what your country can do for you.", temperatures=(0.0,)),
    Options(language="en", without_timestamps=True, temperatures=(0.0,)),
    Options(temperatures=(0.0,), word_timestamps=True),
    Options(language="en", beam_size=3, temperatures=(0.0,)),
)


def alone(table: Table, number: int) -> Transcription:
    future = ask(table, hum(3, 100 + 50 * number), DIFFERENT[number])
    until(table, future.done)
    return future.result()


def tokens(found: Transcription) -> list[tuple[int, ...]]:
    return [segment.tokens for segment in found.segments]


def test_every_row_says_what_it_says_alone_whatever_joins_and_leaves(table: Table, counts: Counts) -> None:
    """Given more requests than places, of different kinds, that come one after another between steps."""
    wanted = [alone(table, number) for number in range(len(DIFFERENT))]
    futures: list[Future[Transcription]] = []
    for number in range(len(DIFFERENT)):
        futures.append(ask(table, hum(3, 100 + 50 * number), DIFFERENT[number]))
        for _ in range(3 * number):
            table.turn()
    until(table, lambda: all(future.done() for future in futures))
    assert [tokens(future.result()) for future in futures] == [tokens(found) for found in wanted]
    assert max(counts.rows) > 1


def test_a_batch_is_as_full_as_requests_make_it(table: Table, counts: Counts) -> None:
    futures = [ask(table, hum(3), OPTIONS) for _ in range(6)]
    until(table, lambda: all(future.done() for future in futures))
    assert max(counts.rows) == 4
    assert counts.stages.count("encode") == counts.stages.count("queue") == 6
    assert "detect" not in counts.stages


def test_a_step_that_runs_out_of_memory_goes_on_in_halves(
    table: Table, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given memory for two rows at a time."""
    wanted = [alone(table, number) for number in range(4)]
    step = table._batch.step

    def narrow(first: int = 0, count: int | None = None) -> None:
        if count is None or count > 2:
            raise torch.OutOfMemoryError
        step(first, count)

    monkeypatch.setattr(table._batch, "step", narrow)
    futures = [ask(table, hum(3, 100 + 50 * number), DIFFERENT[number]) for number in range(4)]
    until(table, lambda: all(future.done() for future in futures))
    assert [tokens(future.result()) for future in futures] == [tokens(found) for found in wanted]
    assert counts.splits > 0


def test_an_encoder_that_runs_out_of_memory_goes_on_in_halves(
    table: Table, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_at_once", 4)
    encoder = table._model.encoder

    def narrow(mel: torch.Tensor) -> torch.Tensor:
        if len(mel) > 1:
            raise torch.OutOfMemoryError
        return encoder(mel)

    object.__setattr__(table._model, "encoder", narrow)
    futures = [ask(table, hum(3), OPTIONS) for _ in range(4)]
    until(table, lambda: all(future.done() for future in futures))
    object.__setattr__(table._model, "encoder", encoder)
    assert len({future.result().text for future in futures}) == 1
    assert counts.splits >= 1


def test_a_row_that_does_not_fit_alone_fails_and_the_others_go_on(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = alone(table, 1)
    step = table._batch.step

    def narrow(first: int = 0, count: int | None = None) -> None:
        rows = table._batch.rows[first:][:count]
        if any(row.script and row.script.sot for row in rows):  # the one with a prompt
            raise torch.OutOfMemoryError
        step(first, count)

    monkeypatch.setattr(table._batch, "step", narrow)
    big, small = (ask(table, hum(3, 100 + 50 * number), DIFFERENT[number]) for number in (2, 1))
    until(table, lambda: big.done() and small.done())
    assert isinstance(big.exception(), OutOfMemory)
    assert tokens(small.result()) == tokens(wanted)


@pytest.mark.parametrize(("work", "fits"), [("join", 0), ("start", 1), ("step", 1)])
def test_a_row_that_finds_no_memory_beside_others_waits_until_they_have_left(
    table: Table, monkeypatch: pytest.MonkeyPatch, work: str, fits: int
) -> None:
    """Given memory for one row at a time, and requests that come between steps."""
    wanted = [alone(table, number) for number in range(3)]
    do = getattr(table._batch, work)

    def narrow(*args: Any) -> Any:
        if len(table._batch.rows) > fits:
            raise torch.OutOfMemoryError
        return do(*args)

    monkeypatch.setattr(table._batch, work, narrow)
    futures: list[Future[Transcription]] = []
    for number in range(3):
        futures.append(ask(table, hum(3, 100 + 50 * number), DIFFERENT[number]))
        table.turn()
    until(table, lambda: all(future.done() for future in futures))
    assert [tokens(future.result()) for future in futures] == [tokens(found) for found in wanted]


def test_a_recording_that_runs_out_of_memory_while_it_is_read_fails(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given others on the device; what was being read is lost, so that waiting would not help."""
    other = ask(table, hum(3), OPTIONS)
    until(table, lambda: bool(table._batch.rows))

    def none_left(*_: Any) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("whisper_runtime.engine.policy.windows.spectrogram", none_left)
    big = ask(table, hum(3), OPTIONS)
    until(table, lambda: big.done() and other.done())
    assert isinstance(big.exception(), OutOfMemory)
    assert other.result().segments


def test_a_cancelled_request_leaves_before_the_next_step(table: Table, counts: Counts) -> None:
    kept, gone = ask(table, hum(3), OPTIONS), ask(table, hum(60), OPTIONS)
    until(table, lambda: len(table._batch.rows) == 2)
    gone.cancel()
    counts.rows.clear()
    table.turn()
    assert counts.rows == [1]
    assert counts.cancellations == 1
    until(table, kept.done)
    assert table.requests == []


def test_a_long_file_in_pieces_starves_nobody(smallest: Model, counts: Counts) -> None:
    """Given two places, and a file of six windows that could fill them for long: who comes later waits for one."""
    table = table_of(smallest, counts, 2)
    long = ask(table, hum(150), Options(language="en", temperatures=(0.0,), condition_on_previous_text=False))
    until(table, lambda: len(table._batch.rows) == 2)
    short = ask(table, hum(2, 300), OPTIONS)
    encoded = counts.stages.count("encode")
    until(table, short.done)
    assert counts.stages.count("encode") - encoded <= 2
    assert not long.done()
    until(table, long.done)


def test_who_reads_segments_and_raises_harms_nobody_else(table: Table) -> None:
    def hostile(segments: Sequence[Segment]) -> None:
        raise ValueError("the client's fault")

    bad, good = ask(table, hum(3), OPTIONS, hostile), ask(table, hum(3), OPTIONS)
    until(table, lambda: bad.done() and good.done())
    assert isinstance(bad.exception(), ValueError)
    assert good.result().segments


def test_a_device_that_is_lost_is_no_single_requests_trouble(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a request that fails, after which the device answers nothing any more."""

    def lost(*_: Any) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr("whisper_runtime.engine.policy.windows.spectrogram", lost)
    monkeypatch.setattr(device, "check", lost)
    future = ask(table, hum(3), OPTIONS)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        until(table, future.done)


@pytest.mark.parametrize(("kind", "asked"), [("cpu", 0), ("cuda", 1)])
def test_only_a_gpu_is_asked_whether_it_still_computes(monkeypatch: pytest.MonkeyPatch, kind: str, asked: int) -> None:
    asks: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", asks.append)
    device.check(torch.device(kind))
    assert asks == [torch.device(kind)] * asked


def test_what_is_drawn_depends_on_the_seed_alone(table: Table) -> None:
    def drawn(seed: int, beside: int = 0) -> Any:
        others = [ask(table, hum(3, 400), OPTIONS) for _ in range(beside)]
        future = ask(table, hum(3), Options(language="en", temperatures=(1.0,), seed=seed))
        until(table, lambda: all(one.done() for one in (*others, future)))
        return tokens(future.result())

    assert drawn(7) == drawn(7, beside=2)
    assert drawn(7) != drawn(8)


def test_the_best_of_several_samples_is_not_worse_than_one(table: Table) -> None:
    def likelihood(best_of: int | None) -> float:
        options = Options(language="en", temperatures=(1.0,), seed=3, best_of=best_of, without_timestamps=True)
        future = ask(table, hum(3), options)
        until(table, future.done)
        return future.result().segments[0].avg_logprob

    assert likelihood(5) >= likelihood(1)


def test_a_poor_result_is_decoded_again_without_another_encoding(
    table: Table, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a threshold that nothing passes."""
    monkeypatch.setattr("whisper_runtime.engine.policy.windows.LOGPROB_THRESHOLD", 0.0)
    options = Options(language="en", temperatures=(0.0, 0.4, 0.8), seed=1, without_timestamps=True)
    until(table, ask(table, hum(3), options).done)
    assert counts.fallbacks == 2
    assert counts.stages.count("encode") == 1


def test_a_language_that_is_sure_comes_from_the_first_window(
    table: Table, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whisper_runtime.engine.policy.windows.SURE", 0.0)
    until(table, ask(table, hum(3), Options(temperatures=(0.0,), without_timestamps=True)).done)
    assert [counts.stages.count(stage) for stage in ("encode", "detect")] == [1, 1]


def test_words_come_from_the_encoding_that_the_text_came_from(table: Table, counts: Counts) -> None:
    future = ask(table, hum(3), Options(language="en", temperatures=(0.0,), word_timestamps=True))
    until(table, future.done)
    assert "words" in counts.stages
    assert counts.stages.count("encode") == len({segment.seek for segment in future.result().segments})


def test_a_short_clip_tells_of_long_files_what_a_full_window_would(table: Table) -> None:
    assert (table.speed.value, table.long_speed.value) == (1.0, math.inf)
    until(table, ask(table, hum(3), OPTIONS).done)
    assert table.speed.value > 0
    assert table.long_speed.value == pytest.approx(10 * table.speed.value)
