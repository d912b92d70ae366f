"""A generator of windows on its way through the batch: what it asks for, and where that is answered."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from whisper_runtime.engine.batching.batch import Row
from whisper_runtime.engine.batching.beam_search import Search
from whisper_runtime.engine.batching.request import Request, Windows
from whisper_runtime.engine.policy.queries import Answer, Pause, Window, Work

Place = Row | Search
"""Both are given a script and come to a result."""


@dataclass(eq=False)
class Stream:
    request: Request
    windows: Generator[Work, Answer, list[Windows] | None]
    ticket: int
    """Who has waited longest has the lowest."""
    pending: Work = field(default_factory=Pause)
    place: Place | None = None
    needs_all: bool = False
    """It found no memory beside the others, and has the device for itself next."""

    @property
    def window(self) -> Window | None:
        """The one that is asked about; None: there is nothing to ask."""
        return None if isinstance(self.pending, Pause) else self.pending.window

    @property
    def is_searched(self) -> bool:
        """Whether windows are followed along several ways, at one temperature or another."""
        return bool(self.request.options.beam_size or self.request.options.best_of)

    @property
    def priority(self) -> tuple[int, int]:
        """First who has the fewest windows in the batch, then who has waited longest: a long file starves nobody."""
        return self.request.in_flight, self.ticket
