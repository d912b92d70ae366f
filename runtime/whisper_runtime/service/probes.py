"""The answers to the kubelet's three probes, from the state of the process."""

from __future__ import annotations

from whisper_runtime.engine.interface import Engine, State
from whisper_runtime.service.lifecycle import Lifecycle, Phase


class Probes:
    """Reads single references only, so that the probes' own thread may ask."""

    def __init__(self, engine: Engine, lifecycle: Lifecycle) -> None:
        self._engine = engine
        self._lifecycle = lifecycle

    @property
    def unhealthy(self) -> str | None:
        """The reason for a restart; None: a restart would not help."""
        if self._lifecycle.stale:
            return "the server's event loop does not run"
        if self._engine.state is State.FAILED:
            return self._engine.error or "the model failed"
        return "the model's thread hangs" if self._engine.is_stuck else None

    @property
    def started(self) -> bool:
        """Whether the start is over, well or not."""
        return self._engine.state is not State.LOADING

    @property
    def unready(self) -> str | None:
        """The reason to send no client here; None: the model is proven, and the process stays.

        A full queue is none: all replicas fill up together, and clients would find no server where they now get a 429
        with the time after which to try again; and a node's drain evicts pods that are not ready, the busiest first.
        """
        if self._lifecycle.phase is not Phase.SERVING:
            return "draining"
        return None if self._engine.state is State.READY else self._engine.state.value
