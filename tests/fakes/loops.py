"""Event loops whose clock a test can turn, so that nothing depends on how fast the machine is."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class InstantSelector(selectors.SelectSelector):
    """Turns every wait into a step of the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0.0
        return super().select(0)


class InstantLoop(asyncio.SelectorEventLoop):
    """Its clock goes on only while everybody waits; not for sockets, whose answers it would not wait for."""

    def __init__(self) -> None:
        self._clock = InstantSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its clock goes on by itself, and further when a test says so: sockets work as ever."""

    def __init__(self) -> None:
        self._skipped = 0.0
        super().__init__()

    def time(self) -> float:
        return super().time() + self._skipped

    def skip(self, seconds: float) -> None:
        """As if the process had been stopped for so long."""
        self._skipped += seconds


def on(loop: type[asyncio.AbstractEventLoop]) -> Callable[..., Callable[..., None]]:
    """Runs a test on a loop of that class."""

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(test(*args, **kwargs))

        return run

    return decorate


def loop_time() -> float:
    """The clock of the loop that runs."""
    return asyncio.get_running_loop().time()
