"""What the HTTP side needs of the engine, and all that it knows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from enum import Enum
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from whisper_runtime.engine.transcription import Options, Segment, Transcription

Samples = npt.NDArray[np.float32]
"""Mono audio at 16 kHz, from -1 to 1."""

OnSegments = Callable[[Sequence[Segment]], None]
"""Called from the model's thread with a window's segments as soon as they are final, before the future is done."""


Stage = Literal["queue", "encode", "detect", "decode_step", "words"]
"""`queue`: from a request's submission to its first window; the others: one call of the model, for a whole batch."""


class Observer(Protocol):
    """Is told what the engine does, from the model's thread; none of it may block."""

    def stage(self, name: Stage, seconds: float) -> None:
        """A stage took this long."""
        ...

    def batch(self, rows: int, capacity: int) -> None:
        """A decoding step ran with `rows` windows, where there was room for `capacity`."""
        ...

    def fallback(self) -> None:
        """A window is decoded again at a higher temperature."""
        ...

    def no_speech(self) -> None:
        """A window was taken for silence."""
        ...

    def cancelled(self) -> None:
        """A request left before its end."""
        ...

    def split(self) -> None:
        """A batch was cut in two, because the device had no memory for it."""
        ...


class State(Enum):
    LOADING = "loading"
    READY = "ready"
    """Loaded, warmed up, and the golden clip came out right."""
    FAILED = "failed"
    STOPPED = "stopped"


class Engine(Protocol):
    @property
    def state(self) -> State: ...

    @property
    def error(self) -> str | None:
        """Why the state is FAILED, as one sentence."""
        ...

    @property
    def queued_audio_seconds(self) -> float: ...

    @property
    def speed(self) -> float:
        """Seconds of audio that the model transcribes in a second, as measured from the warm-up on; above 0.

        Admission relies on it: it decides which recording is too long and how long the queue may be.
        """
        ...

    def submit(
        self, samples: Samples, options: Options, on_segments: OnSegments | None = None
    ) -> Future[Transcription]:
        """A place in the queue; cancelling the future gives it back."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...
