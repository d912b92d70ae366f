"""The answers to the kubelet's three probes, from the state of the process."""

from __future__ import annotations

from whisper_runtime.engine.interface import Engine, State
from whisper_runtime.service.admission import Saturation
from whisper_runtime.service.lifecycle import Lifecycle, Phase


class Probes:
    """Reads single references only, so that the probes' own thread may ask."""

    def __init__(self, engine: Engine, lifecycle: Lifecycle, saturation: Saturation) -> None:
        self._engine = engine
        self._lifecycle = lifecycle
        self._saturation = saturation

    @property
    def unhealthy(self) -> str | None:
        """The reason for a restart; None: a restart would not help."""
        if self._lifecycle.stale:
            return "the server's event loop does not run"
        if self._engine.state is State.FAILED:
            return self._engine.error or "the model failed"
        return None

    @property
    def started(self) -> bool:
        """Whether the start is over, well or not."""
        return self._engine.state is not State.LOADING

    @property
    def unready(self) -> str | None:
        """The reason to send no client here; None: the model is proven, there is room, and the process stays."""
        if self._lifecycle.phase is not Phase.SERVING:
            return "draining"
        if self._engine.state is not State.READY:
            return self._engine.state.value
        return "saturated" if self._saturation.full else None
