"""The engine's interface: all that the HTTP side knows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from whisper_runtime.engine.transcription import Options, Segment, Transcription

Samples = npt.NDArray[np.float32]
"""Mono audio at 16 kHz, shape (samples,), from -1 to 1."""

OnSegments = Callable[[Sequence[Segment]], None]
"""Called with final segments, from the engine's thread: it must return fast, and what it raises fails the request."""

OnProgress = Callable[[float], None]
"""Called with the seconds of a recording that the model is done with, speech or not, from the engine's thread: it must
return fast, and raise nothing."""

OnBegun = Callable[[], None]
"""Called when a recording's first window gets its row, from the engine's thread: it must return fast."""

IsBackground = Callable[[], bool]
"""Whether a recording yields to others now; asked again and again, from any thread: it must return at once."""

OnStage = Callable[[str, float, float], None]
"""Called with a stage that has ended, its start and its end by time.perf_counter, from the engine's thread: it
must return fast, and raise nothing. The stages are `queue`, and of windows `encode`, `decode_steps` and `words`."""


def in_foreground() -> bool:
    """The IsBackground of what somebody waits for."""
    return False


class State(Enum):
    LOADING = "loading"
    READY = "ready"
    """Loaded, warmed up, and the golden clip was transcribed correctly."""
    FAILED = "failed"
    STOPPED = "stopped"


class OutOfMemory(Exception):
    """The device has no memory for the request, even with nothing else in the batch."""


class CannotLoad(Exception):
    """The checkpoint cannot be loaded on this device; the message names the cause and the remedy."""


@dataclass(frozen=True)
class Abilities:
    """The abilities of a checkpoint, derived from its dimensions: a file may have any name."""

    languages: int
    """The number of Whisper's languages that it knows, in the order of openai-whisper's LANGUAGES; 1: English only."""
    translates: bool
    """Whether the task `translate` is supported."""


NO_MODEL: Final = Abilities(languages=0, translates=False)


class Engine(Protocol):
    """Transcribes recordings; every member may be used from any thread."""

    @property
    def state(self) -> State: ...

    @property
    def error(self) -> str | None:
        """One sentence about the cause of FAILED; None in every other state."""
        ...

    @property
    def abilities(self) -> Abilities:
        """NO_MODEL until the model is loaded."""
        ...

    @property
    def is_stuck(self) -> bool:
        """Whether the model's thread is in one iteration for so long that it will not end."""
        ...

    @property
    def queued_audio_seconds(self) -> float:
        """Seconds of audio that wait: of recordings that no row of the batch has begun with, or is free for."""
        ...

    @property
    def free_rows(self) -> int:
        """Rows of the batch that are free, and that nothing submitted waits for; 0 until the model is loaded."""
        ...

    @property
    def rows_in_flight(self) -> int:
        """Windows that are decoded now."""
        ...

    @property
    def speed(self) -> float:
        """Measured throughput of all rows together: seconds of audio transcribed per second; above 0."""
        ...

    @property
    def row_speed(self) -> float:
        """The throughput of one row with the windows of a long file; infinite while nothing has been measured."""
        ...

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        client: str = "",
        on_progress: OnProgress | None = None,
        on_begun: OnBegun | None = None,
        on_stage: OnStage | None = None,
        is_background: IsBackground = in_foreground,
    ) -> Future[Transcription]:
        """Queue a recording; cancelling the future frees its slot within one decode step.

        `on_segments` is called with each window's segments as soon as they are final, in the file's order and before
        the future is done; their joined texts are the transcription's. None: no such calls. `client` is the name of
        who sent it: clients take turns. `on_progress` is called after each window, `on_begun` once the recording waits
        no more. While it `is_background`, its windows get rows that no other recording's wait for, and it counts
        neither as waiting nor against free rows.
        The engine's log lines about the recording are those of the context in which it is submitted.
        The future raises OutOfMemory where the device has no room for the request alone, else what failed.
        """
        ...

    def start(self) -> None:
        """Load the model in the background; `state` says when it is READY or FAILED. Call it once."""
        ...

    def stop(self) -> None:
        """End after the current decode step; requests that are left are cancelled."""
        ...


class Observer(Protocol):
    """Receives the engine's events for metrics, from the engine's thread."""

    def stage(self, name: str, seconds: float) -> None:
        """One stage ended after `seconds`: `queue`, `encode`, `detect`, `decode_step` or `words`."""
        ...

    def batch(self, rows: int, capacity: int) -> None:
        """A decode step of `rows` rows begins, in a batch that has room for `capacity`."""
        ...

    def launched(self, *, replayed: bool) -> None:
        """A decode step of the batch ended: it was `replayed` as a CUDA graph, or launched one operation after the
        other."""
        ...

    def fallback(self) -> None:
        """A window is decoded again at a higher temperature."""
        ...

    def no_speech(self) -> None:
        """A window was classified as silence."""
        ...

    def cancelled(self) -> None:
        """A request was cancelled by its client."""
        ...

    def split(self) -> None:
        """A batch ran out of device memory and continues in halves."""
        ...


class NullObserver:
    """An Observer that ignores every event."""

    def stage(self, name: str, seconds: float) -> None: ...
    def batch(self, rows: int, capacity: int) -> None: ...
    def launched(self, *, replayed: bool) -> None: ...
    def fallback(self) -> None: ...
    def no_speech(self) -> None: ...
    def cancelled(self) -> None: ...
    def split(self) -> None: ...
