from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.engine import FakeEngine, fake_decode
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.http.app import create_app, create_probes_app
from whisper_runtime.service.state import Serving

Start = Callable[..., httpx.AsyncClient]
ServingOf = Callable[..., Serving]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def serving_of(engine: FakeEngine) -> ServingOf:
    """What requests share, with a configuration of the given fields."""

    def of(**config: Any) -> Serving:
        return Serving(RuntimeConfig(**({"model": "base"} | config)), engine, fake_decode)

    return of


@pytest.fixture
async def start(serving_of: ServingOf) -> AsyncIterator[Start]:
    """Starts the clients' application (or `probes`) and gives a client of it."""
    clients: list[httpx.AsyncClient] = []

    def client(serving: Serving | None = None, *, probes: bool = False, **config: Any) -> httpx.AsyncClient:
        app = (create_probes_app if probes else create_app)(serving or serving_of(**config))
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://whisper"))
        return clients[-1]

    yield client
    for opened in clients:
        await opened.aclose()


def speech(seconds: float = 2.5) -> dict[str, tuple[str, bytes, str]]:
    """A form's file part that the fake decoder takes for this much audio."""
    return {"file": ("speech.wav", f"speech {seconds}".encode(), "audio/wav")}


@pytest.fixture
def root_logger() -> Iterator[None]:
    """A root logger that may be configured; pytest's own handlers are put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)
