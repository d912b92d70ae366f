"""What the requests of one process share."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

from fastapi import Depends, Request

from whisper_runtime.contract import RuntimeConfig
from whisper_runtime.engine.protocol import Engine, Samples
from whisper_runtime.lifecycle import Lifecycle
from whisper_runtime.metrics import Metrics
from whisper_runtime.served import ServedModel, served_model

DECODERS_AT_ONCE: Final = max(1, min(4, (os.cpu_count() or 1) - 1))
"""Files decoded at the same time: each may take hundreds of MB, and the model needs processors too."""


class Decode(Protocol):
    """Media of any kind as samples; raises audio.AudioError."""

    def __call__(self, path: str, *, max_seconds: float, timeout: float) -> Awaitable[Samples]: ...


@dataclass
class Serving:
    config: RuntimeConfig
    engine: Engine
    decode: Decode
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    started: int = field(default_factory=lambda: int(time.time()))
    """Unix time."""
    decoders: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DECODERS_AT_ONCE))
    model: ServedModel = field(init=False)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.model = served_model(self.config)
        self.metrics = Metrics(self.model, self.engine, self.lifecycle)


def _serving(request: Request) -> Serving:
    return request.app.state.serving


ServingOf = Annotated[Serving, Depends(_serving)]
"""The parameter type by which a route gets what it shares with the others."""
