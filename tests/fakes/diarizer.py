"""A diarizer without a model: it knows the turns of every recording, or waits until nobody wants them any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from whisper_runtime.diarization.interface import (
    Cancelled,
    KnownSpeaker,
    SpeakerBounds,
    SpeakerTurn,
    UnusableReference,
)
from whisper_runtime.engine.interface import Samples

TURNS: Final = (SpeakerTurn(0.0, 1.0, "A"), SpeakerTurn(1.0, 2.5, "B"))
DIGEST: Final = "d" * 64
SECONDS: Final = 10.0
"""The longest that a test waits for it."""


class FakeDiarizer:
    def __init__(self, turns: Sequence[SpeakerTurn] | UnusableReference | None = TURNS) -> None:
        """What it finds in every recording, or raises; None: nothing, and it goes on until it is cancelled."""
        self.answer = turns
        self.digest = DIGEST
        self.asked: list[tuple[float, SpeakerBounds, list[tuple[str, float]]]] = []
        """Of each recording: its seconds, the bounds, and the known speakers with the seconds of their references."""
        self.progress_seconds = 0.0
        """What it says of its progress, once."""
        self.begun, self.ended = threading.Event(), threading.Event()

    def turns(
        self,
        samples: Samples,
        bounds: SpeakerBounds,
        known: Sequence[KnownSpeaker],
        *,
        is_cancelled: Callable[[], bool],
        on_progress: Callable[[float], None] | None = None,
    ) -> Sequence[SpeakerTurn]:
        self.asked.append((_seconds(samples), bounds, [(one.name, _seconds(one.samples)) for one in known]))
        self.begun.set()
        try:
            if on_progress:
                on_progress(self.progress_seconds)
            if self.answer is None:
                while not is_cancelled():
                    threading.Event().wait(0.01)
                raise Cancelled
            if isinstance(self.answer, UnusableReference):
                raise self.answer
            return self.answer
        finally:
            self.ended.set()


def _seconds(samples: Samples) -> float:
    return len(samples) / 16_000
