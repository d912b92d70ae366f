"""What the HTTP side needs of the engine, and all that it knows of it."""

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
"""Mono audio at 16 kHz, from -1 to 1."""

OnSegments = Callable[[Sequence[Segment]], None]
"""Is called from the model's thread, so it must not take long."""


class State(Enum):
    LOADING = "loading"
    READY = "ready"
    """Loaded, warmed up, and the golden clip came out right."""
    FAILED = "failed"
    STOPPED = "stopped"


class OutOfMemory(Exception):
    """The device has no memory for the request, not even alone."""


@dataclass(frozen=True)
class Abilities:
    """What a checkpoint can, by its dimensions: a file may have any name."""

    languages: int
    """How many of Whisper's languages it knows, in the order of openai-whisper's table; 1: English alone."""
    translates: bool


NO_MODEL: Final = Abilities(languages=0, translates=False)


class Engine(Protocol):
    @property
    def state(self) -> State: ...

    @property
    def error(self) -> str | None:
        """Why the state is FAILED, as one sentence."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What the model can; NO_MODEL until it is loaded."""
        ...

    @property
    def queued_audio_seconds(self) -> float: ...

    @property
    def speed(self) -> float:
        """Seconds of audio that the model transcribes in a second, as measured; above 0."""
        ...

    @property
    def long_speed(self) -> float:
        """The same for a long file, whose windows are full; infinite while nothing tells."""
        ...

    def submit(
        self, samples: Samples, options: Options, on_segments: OnSegments | None = None
    ) -> Future[Transcription]:
        """A place in the queue; cancelling the future gives it back within one decoding step.

        `on_segments` is called with each window's segments as soon as they are final, in the file's order and before
        the future is done; their texts, put together, are the transcription's.
        """
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Observer(Protocol):
    """Is told what the engine does, from the model's thread."""

    def stage(self, name: str, seconds: float) -> None:
        """How long one `queue`, `encode`, `detect`, `decode_step` or `words` took."""
        ...

    def batch(self, rows: int, capacity: int) -> None:
        """Rows that share the step that begins."""
        ...

    def fallback(self) -> None:
        """A window is decoded again, at a higher temperature."""
        ...

    def no_speech(self) -> None:
        """A window was taken for silence."""
        ...

    def cancelled(self) -> None:
        """A request was given up by who sent it."""
        ...

    def split(self) -> None:
        """A batch ran out of memory and goes on in halves."""
        ...


class Unobserved:
    """An Observer that nobody reads."""

    def stage(self, name: str, seconds: float) -> None: ...
    def batch(self, rows: int, capacity: int) -> None: ...
    def fallback(self) -> None: ...
    def no_speech(self) -> None: ...
    def cancelled(self) -> None: ...
    def split(self) -> None: ...
