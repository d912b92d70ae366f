from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from whisper_runtime.http.app import create_app, create_probes_app
from whisper_runtime.service.parts import RuntimeParts

Start = Callable[..., httpx.AsyncClient]
PartsOf = Callable[..., RuntimeParts]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def parts_of(engine: FakeEngine) -> PartsOf:
    """The parts of a process around `engine`, with a configuration of the given fields."""

    def of(**config: Any) -> RuntimeParts:
        return fake_parts(engine, **config)

    return of


@pytest.fixture
async def start(parts_of: PartsOf) -> AsyncIterator[Start]:
    """Starts the clients' application (or `probes`) and gives a client of it."""
    clients: list[httpx.AsyncClient] = []

    def client(parts: RuntimeParts | None = None, *, probes: bool = False, **config: Any) -> httpx.AsyncClient:
        app = (create_probes_app if probes else create_app)(parts or parts_of(**config))
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
