"""What takes turns among the pods of a service: one runs the model for a result, and the others wait for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from whisper_runtime.service.result_cache.content import KnownResult


@dataclass(frozen=True)
class Hit:
    """A result that was kept."""

    result: KnownResult
    age: float
    """Seconds."""
    seconds_left: float


FindResult = Callable[[], Awaitable[Hit | None]]
"""Looks for a result that the request takes; None: there is none (yet)."""


class PodTurns(Protocol):
    def turn(self, key: str, find: FindResult) -> AbstractAsyncContextManager[Hit | None]:
        """Waits until it is this pod's turn to run the model for the result of that key (None), or until that is there.

        The turn ends with the block, in which its result is to be kept. A pod that ends or hangs loses its turn.
        """
        ...
