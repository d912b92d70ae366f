"""What the requests of one process share."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import IO, Annotated, Protocol

from fastapi import Depends, Request

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import Engine, Samples, State
from whisper_runtime.http.middleware.rate_limit import Rates
from whisper_runtime.metrics import Metrics
from whisper_runtime.service.admission import Saturation, queue_limit
from whisper_runtime.service.decode_slots import Decoders
from whisper_runtime.service.disk_quota import Scratch
from whisper_runtime.service.fair_share import Places
from whisper_runtime.service.lifecycle import Lifecycle, Phase
from whisper_runtime.service.model_info import ServedModel, name_of, promised_digest, served_model


class Decode(Protocol):
    """Media of any kind as samples; raises audio.AudioError."""

    def __call__(self, media: IO[bytes], *, max_seconds: float, timeout: float) -> Awaitable[Samples]: ...


@dataclass
class Serving:
    config: RuntimeConfig
    engine: Engine
    decode: Decode
    metrics: Metrics = field(default_factory=Metrics)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    started: int = field(default_factory=lambda: int(time.time()))
    """Unix time."""
    decoders: Decoders = field(default_factory=Decoders)
    places: Places = field(default_factory=Places)
    saturation: Saturation = field(default_factory=Saturation)
    digest: str | None = field(init=False)
    """sha256 of the checkpoint; None: not known yet."""
    scratch: Scratch = field(init=False)
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        self.digest = promised_digest(config)
        self.scratch = Scratch(config.max_scratch_bytes)
        self.rates = Rates(config.requests_per_minute, config.audio_minutes_per_hour)
        self.metrics.watch(
            name_of(config.model),
            lambda: self.digest,
            self.engine,
            queue_limit=lambda: self.queue_limit,
            oldest_wait=lambda: self.places.oldest_wait,
            scratch=lambda: self.scratch.used,
            ready=lambda: self.unready is None,
        )

    @property
    def model(self) -> ServedModel:
        return served_model(self.config, self.digest, self.engine.abilities)

    @property
    def unready(self) -> str | None:
        """Why no client is to be sent here; None: the golden clip came out right, there is room, and nobody leaves."""
        if self.lifecycle.phase is not Phase.SERVING:
            return "draining"
        if self.engine.state is not State.READY:
            return self.engine.state.value
        return "saturated" if self.saturation.full else None

    @property
    def queue_limit(self) -> float:
        """Seconds of audio that may wait now."""
        config = self.config
        return queue_limit(config.max_queued_audio_seconds, self.engine.speed, config.request_timeout_seconds)


def _serving(request: Request) -> Serving:
    return request.app.state.serving


ServingOf = Annotated[Serving, Depends(_serving)]
"""The parameter type by which a route gets what it shares with the others."""
