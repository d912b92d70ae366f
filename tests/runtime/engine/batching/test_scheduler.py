"""Requests that share a batch affect each other's time, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import Any

import pytest
import torch

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import MAX_NEW_TOKENS, FaultyRunner, faulty_runner
from tests.runtime.engine.conftest import hum, iterate_until, submit
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.interface import OutOfMemory
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import DetectedLanguage
from whisper_runtime.engine.transcription import Options, Segment, Transcription

OPTIONS = Options(language="en", temperatures=(0.0,))
DIFFERENT = (
    OPTIONS,
    Options(language="de", task="translate", temperatures=(0.0,)),
    Options(language="en", prompt="Ask not what your country can do for you.", temperatures=(0.0,)),
    Options(language="en", without_timestamps=True, temperatures=(0.0,)),
    Options(temperatures=(0.0,), word_timestamps=True),
    Options(language="en", beam_size=3, temperatures=(0.0,)),
)


def submit_number(scheduler: Scheduler, number: int) -> Future[Transcription]:
    return submit(scheduler, hum(3, 100 + 50 * number), DIFFERENT[number])


def alone(scheduler: Scheduler, number: int) -> Transcription:
    future = submit_number(scheduler, number)
    iterate_until(scheduler, future.done)
    return future.result()


def until_done(scheduler: Scheduler, *futures: Future[Transcription]) -> None:
    iterate_until(scheduler, lambda: all(future.done() for future in futures))


def tokens(found: Transcription) -> list[tuple[int, ...]]:
    return [segment.tokens for segment in found.segments]


def test_every_request_gets_the_text_that_it_gets_alone_whatever_joins_and_leaves(
    scheduler: Scheduler, observer: CountingObserver
) -> None:
    """Given more requests than slots, of different kinds, that come one after another between decode steps."""
    wanted = [alone(scheduler, number) for number in range(len(DIFFERENT))]
    futures: list[Future[Transcription]] = []
    for number in range(len(DIFFERENT)):
        futures.append(submit_number(scheduler, number))
        for _ in range(3 * number):
            scheduler.iterate()
    until_done(scheduler, *futures)
    assert [tokens(future.result()) for future in futures] == [tokens(found) for found in wanted]
    assert max(observer.rows) > 1


def test_a_batch_is_as_full_as_requests_make_it(scheduler: Scheduler, observer: CountingObserver) -> None:
    until_done(scheduler, *(submit(scheduler, hum(3), OPTIONS) for _ in range(6)))
    assert max(observer.rows) == 4
    assert observer.stages.count("encode") == observer.stages.count("queue") == 6
    assert "detect" not in observer.stages


@pytest.mark.parametrize(
    ("steps", "turns"),
    [
        pytest.param(24, ["encode", MAX_NEW_TOKENS - 1, "encode", "encode"], id="until the row is done"),
        pytest.param(3, ["encode", 6, "encode", "encode"], id="until the row has had its steps, for each that waits"),
        pytest.param(0, ["encode", 1, "encode", 1, "encode"], id="at once, as on a GPU"),
    ],
)
def test_windows_that_come_wait_for_the_rows_and_are_then_encoded_one_after_the_other(
    scheduler: Scheduler, observer: CountingObserver, runner: FaultyRunner, steps: int, turns: list[str | int]
) -> None:
    """Given a row that decodes when two more recordings come."""
    runner.steps_per_encoding = steps
    futures = [submit(scheduler, hum(3), OPTIONS)]
    iterate_until(scheduler, lambda: "decode_step" in observer.stages)
    futures += [submit(scheduler, hum(3), OPTIONS) for _ in range(2)]
    until_done(scheduler, *futures)
    stages = [stage for stage in observer.stages if stage in ("encode", "decode_step")]
    found: list[str | int] = []
    for stage, group in groupby(stages):
        times = len(list(group))
        found += [stage] * times if stage == "encode" else [times]
    assert found[:-1] == turns


def test_a_step_that_runs_out_of_memory_goes_on_in_halves(
    scheduler: Scheduler, runner: FaultyRunner, observer: CountingObserver
) -> None:
    """Given memory for two rows at a time."""
    wanted = [alone(scheduler, number) for number in range(4)]

    def two_rows_fit(operation: str, slots: Sequence[Any]) -> None:
        if operation == "decode_batch" and len(slots) > 2:
            raise torch.OutOfMemoryError

    runner.fault = two_rows_fit
    futures = [submit_number(scheduler, number) for number in range(4)]
    until_done(scheduler, *futures)
    assert [tokens(future.result()) for future in futures] == [tokens(found) for found in wanted]
    assert observer.splits > 0


def test_an_encoder_that_runs_out_of_memory_goes_on_in_halves(
    scheduler: Scheduler, runner: FaultyRunner, observer: CountingObserver
) -> None:
    def one_window_fits(operation: str, mels: Sequence[Any]) -> None:
        if operation == "encode" and len(mels) > 1:
            raise torch.OutOfMemoryError

    runner.windows_per_encoding, runner.fault = 4, one_window_fits
    futures = [submit(scheduler, hum(3), OPTIONS) for _ in range(4)]
    until_done(scheduler, *futures)
    assert len({future.result().text for future in futures}) == 1
    assert observer.splits >= 1


def test_a_row_that_does_not_fit_alone_fails_and_the_others_go_on(scheduler: Scheduler, runner: FaultyRunner) -> None:
    wanted = alone(scheduler, 1)

    def no_prompt_fits(operation: str, slots: Sequence[Any]) -> None:
        if operation == "decode_batch" and any(slot.params.sot_index for slot in slots):
            raise torch.OutOfMemoryError

    runner.fault = no_prompt_fits
    big, small = submit_number(scheduler, 2), submit_number(scheduler, 1)
    until_done(scheduler, big, small)
    assert isinstance(big.exception(), OutOfMemory)
    assert tokens(small.result()) == tokens(wanted)


@pytest.mark.parametrize(("work", "fits"), [("allocate", 0), ("prefill", 1), ("decode_batch", 1)])
def test_a_row_that_finds_no_memory_beside_others_waits_until_they_have_left(
    scheduler: Scheduler, runner: FaultyRunner, work: str, fits: int
) -> None:
    """Given memory for one row at a time, and requests that come between decode steps."""
    wanted = [alone(scheduler, number) for number in range(3)]

    def one_row_fits(operation: str, _: Sequence[Any]) -> None:
        if operation == work and len(runner.batch.slots) > fits:
            raise torch.OutOfMemoryError

    runner.fault = one_row_fits
    futures: list[Future[Transcription]] = []
    for number in range(3):
        futures.append(submit_number(scheduler, number))
        scheduler.iterate()
    until_done(scheduler, *futures)
    assert [tokens(future.result()) for future in futures] == [tokens(found) for found in wanted]


def test_a_recording_that_runs_out_of_memory_while_it_is_read_fails(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given others on the device; the part that was read is lost, so that waiting would not help."""
    other = submit(scheduler, hum(3), OPTIONS)
    iterate_until(scheduler, lambda: bool(runner.batch.slots))

    def no_spectrogram_fits(operation: str, _: Sequence[Any]) -> None:
        if operation == "spectrogram":
            raise torch.OutOfMemoryError

    runner.fault = no_spectrogram_fits
    big = submit(scheduler, hum(3), OPTIONS)
    until_done(scheduler, big, other)
    assert isinstance(big.exception(), OutOfMemory)
    assert other.result().segments


@pytest.mark.parametrize("first", ["kept", "gone"])
def test_a_cancelled_request_leaves_before_the_next_step(
    scheduler: Scheduler, runner: FaultyRunner, observer: CountingObserver, first: str
) -> None:
    """Whichever slot it has: behind the other one, or before it, so that the other's part of the cache moves."""
    wanted = submit(scheduler, hum(3), OPTIONS)
    until_done(scheduler, wanted)
    seconds = {"kept": 3, "gone": 60}
    futures: dict[str, Future[Transcription]] = {}
    for name in sorted(seconds, key=lambda name: name != first):
        futures[name] = submit(scheduler, hum(seconds[name]), OPTIONS)
        iterate_until(scheduler, lambda: len(runner.batch.slots) == len(futures))
    futures["gone"].cancel()
    observer.rows.clear()
    scheduler.iterate()
    assert observer.rows == [1]
    assert observer.cancellations == 1
    iterate_until(scheduler, futures["kept"].done)
    assert tokens(futures["kept"].result()) == tokens(wanted.result())
    assert scheduler.requests == []


def test_a_long_file_in_chunks_starves_nobody(smallest: WhisperModel, observer: CountingObserver) -> None:
    """Given two slots, and a file of six windows that could fill them for long: a later request waits for one."""
    runner = faulty_runner(smallest, observer, 2)
    scheduler = Scheduler(runner, observer, ThroughputMeter())
    options = Options(language="en", temperatures=(0.0,), condition_on_previous_text=False)
    long = submit(scheduler, hum(150), options)
    iterate_until(scheduler, lambda: len(runner.batch.slots) == 2)
    short = submit(scheduler, hum(2, 300), OPTIONS)
    encoded = observer.stages.count("encode")
    iterate_until(scheduler, short.done)
    assert observer.stages.count("encode") - encoded <= 2
    assert not long.done()
    iterate_until(scheduler, long.done)


def test_a_callback_that_raises_fails_its_own_request_alone(scheduler: Scheduler) -> None:
    def hostile(segments: Sequence[Segment]) -> None:
        raise ValueError("the client's fault")

    bad, good = submit(scheduler, hum(3), OPTIONS, hostile), submit(scheduler, hum(3), OPTIONS)
    until_done(scheduler, bad, good)
    assert isinstance(bad.exception(), ValueError)
    assert good.result().segments


def test_a_device_that_is_lost_is_no_single_requests_trouble(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given a request that fails, after which the device answers every call with the same error."""
    error = RuntimeError("CUDA error: an illegal memory access was encountered")

    def lost(*_: Any) -> None:
        raise error

    runner.fault, runner.device_error = lost, error
    future = submit(scheduler, hum(3), OPTIONS)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        iterate_until(scheduler, future.done)


def test_samples_depend_on_the_seed_alone(scheduler: Scheduler) -> None:
    def drawn(seed: int, beside: int = 0) -> list[tuple[int, ...]]:
        others = [submit(scheduler, hum(3, 400), OPTIONS) for _ in range(beside)]
        future = submit(scheduler, hum(3), Options(language="en", temperatures=(1.0,), seed=seed))
        until_done(scheduler, *others, future)
        return tokens(future.result())

    assert drawn(7) == drawn(7, beside=2)
    assert drawn(7) != drawn(8)


def test_the_best_of_several_samples_is_not_worse_than_one(scheduler: Scheduler) -> None:
    def likelihood(best_of: int | None) -> float:
        options = Options(language="en", temperatures=(1.0,), seed=3, best_of=best_of, without_timestamps=True)
        future = submit(scheduler, hum(3), options)
        until_done(scheduler, future)
        return future.result().segments[0].avg_logprob

    assert likelihood(5) >= likelihood(1)


def test_a_poor_result_is_decoded_again_without_another_encoding(
    scheduler: Scheduler, runner: FaultyRunner, observer: CountingObserver
) -> None:
    """Given results that are all below the threshold."""
    runner.is_poor = True
    options = Options(language="en", temperatures=(0.0, 0.4, 0.8), seed=1, without_timestamps=True)
    until_done(scheduler, submit(scheduler, hum(3), options))
    assert observer.fallbacks == 2
    assert observer.stages.count("encode") == 1


def test_a_language_that_is_sure_comes_from_the_first_window(
    scheduler: Scheduler, runner: FaultyRunner, observer: CountingObserver
) -> None:
    runner.language = DetectedLanguage("en", 0.9)
    until_done(scheduler, submit(scheduler, hum(3), Options(temperatures=(0.0,), without_timestamps=True)))
    assert [observer.stages.count(stage) for stage in ("encode", "detect")] == [1, 1]


def test_words_come_from_the_encoding_that_the_text_came_from(scheduler: Scheduler, observer: CountingObserver) -> None:
    future = submit(scheduler, hum(3), Options(language="en", temperatures=(0.0,), word_timestamps=True))
    until_done(scheduler, future)
    assert "words" in observer.stages
    assert observer.stages.count("encode") == len({segment.seek for segment in future.result().segments})


def test_no_row_waits_for_an_alignment_and_its_slot_is_free(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given an alignment that takes for ever."""
    runner.withheld = []
    words = submit(scheduler, hum(3), Options(language="en", temperatures=(0.0,), word_timestamps=True))
    iterate_until(scheduler, lambda: bool(runner.withheld))
    assert runner.batch.slots == []
    assert not scheduler.has_work
    others = [submit(scheduler, hum(3), OPTIONS) for _ in range(4)]
    until_done(scheduler, *others)
    assert not words.done()
    withheld, runner.withheld = runner.withheld, None
    for hand_over in withheld:
        hand_over()
    until_done(scheduler, words)
    assert any(segment.words for segment in words.result().segments)


def test_a_request_that_is_cancelled_while_it_is_aligned_leaves(scheduler: Scheduler, runner: FaultyRunner) -> None:
    runner.withheld = []
    words = submit(scheduler, hum(3), Options(language="en", temperatures=(0.0,), word_timestamps=True))
    iterate_until(scheduler, lambda: bool(runner.withheld))
    words.cancel()
    until_done(scheduler, submit(scheduler, hum(3), OPTIONS))
    assert scheduler.requests == []
    runner.withheld[0]()


def test_a_short_clip_shows_the_speed_of_a_full_window(scheduler: Scheduler) -> None:
    measured = scheduler.throughput
    assert (measured.speed, measured.row_speed) == (1.0, math.inf)
    until_done(scheduler, submit(scheduler, hum(3), OPTIONS))
    assert measured.speed > 0
    assert measured.row_speed > 3 * measured.speed  # by ten, but for the reading before it and its last step


def test_a_row_of_a_full_batch_is_slower_than_the_batch(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given a full window in each row, side by side."""
    until_done(scheduler, *(submit(scheduler, hum(30, 100 + 50 * number), OPTIONS) for number in range(4)))
    assert scheduler.throughput.row_speed < scheduler.throughput.speed


def test_rows_that_a_request_in_work_will_take_are_not_free(smallest: WhisperModel, observer: CountingObserver) -> None:
    """Given a file of six windows in a batch of two rows, and one that is decoded window after window."""
    runner = faulty_runner(smallest, observer, 2)
    scheduler = Scheduler(runner, observer, ThroughputMeter())
    assert scheduler.free_rows == 2
    sequential = submit(scheduler, hum(90), OPTIONS)
    iterate_until(scheduler, lambda: len(runner.batch.slots) == 1)
    assert scheduler.free_rows == 1
    sequential.cancel()
    iterate_until(scheduler, lambda: not runner.batch.slots)
    in_chunks = Options(language="en", temperatures=(0.0,), condition_on_previous_text=False)
    long = submit(scheduler, hum(150), in_chunks)
    iterate_until(scheduler, lambda: len(runner.batch.slots) == 1)
    assert scheduler.free_rows == 0
    long.cancel()
