"""The end of a process, step by step; test_servers.py and test_front.py have it with real clients."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from whisper_runtime.process import draining
from whisper_runtime.process.draining import beat, drain, stop_on_signals
from whisper_runtime.process.listening import UvicornServer, uvicorn_server
from whisper_runtime.service.lifecycle import Lifecycle, Phase


def server() -> UvicornServer:
    async def answers_nobody(*_: object) -> None: ...

    return uvicorn_server(answers_nobody)


async def test_who_was_never_sent_a_client_refuses_and_ends_at_once() -> None:
    lifecycle = Lifecycle()
    await drain(lifecycle, server(), 600, was_ready=False)
    assert lifecycle.phase is Phase.REFUSING


async def test_first_it_is_not_ready_and_takes_requests_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "ENDPOINT_LAG_SECONDS", 1000.0)
    lifecycle = Lifecycle()
    leaving = asyncio.create_task(drain(lifecycle, server(), 2000, was_ready=True))
    await asyncio.sleep(0)
    assert lifecycle.phase is Phase.LEAVING
    leaving.cancel()


async def test_what_is_not_done_in_time_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    busy = server()
    request = asyncio.create_task(asyncio.sleep(1000))
    busy.server_state.tasks.add(request)
    await drain(Lifecycle(), busy, 0, was_ready=True)
    assert "1 requests were not finished in 0 s" in caplog.text
    request.cancel()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it(number: int) -> None:
    stop = stop_on_signals()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(stop.wait(), 60)
    for handled in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(handled)


async def test_its_heart_beats() -> None:
    now = [0.0]
    lifecycle = Lifecycle(lambda: now[0])
    now[0] = 100.0
    assert lifecycle.stale
    beating = asyncio.create_task(beat(lifecycle))
    await asyncio.sleep(0)
    assert not lifecycle.stale
    beating.cancel()
