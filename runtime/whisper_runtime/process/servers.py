"""Two HTTP servers, the model between them, and the way out: signals, draining, exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Final

import uvicorn
from fastapi import FastAPI

from whisper_runtime.contract.network import READY_FAILURES, READY_PERIOD_SECONDS
from whisper_runtime.engine.interface import State
from whisper_runtime.http.app import create_app, create_probes_app
from whisper_runtime.process.http_protocol import Connection
from whisper_runtime.service.lifecycle import HEARTBEAT_SECONDS, Phase
from whisper_runtime.service.state import Serving

log = logging.getLogger(__name__)

ENDPOINT_LAG_SECONDS: Final = 5.0
"""How long a Service may go on sending clients to a pod that is not ready any more."""
UNROUTED_SECONDS: Final = READY_PERIOD_SECONDS * READY_FAILURES + 2.0
"""Until no Service has this pod for its last resort (KEP-1669): its readiness probes must fail, and every node must
hear of it. Who is sent to a pod that has ended hears nothing for a minute; until then all get a 503."""

POLL_SECONDS: Final = 0.1
BACKLOG: Final = 2048
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the 60 s for which proxies keep an idle connection: who may be surprised must not close first."""


class CannotServe(Exception):
    """The process cannot do its work, and a restart after a change is the remedy; says which change."""


class Server(uvicorn.Server):
    """uvicorn without its signal handling, which would close the listeners at once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    @property
    def busy(self) -> bool:
        return bool(self.server_state.tasks)


def serve(serving: Serving, prepare: Callable[[], str]) -> None:
    """Serves until SIGTERM or SIGINT. `prepare` may block: it makes sure that the checkpoint is there, and
    tells its sha256.

    Raises CannotServe where a port is taken or the model cannot be loaded.
    """
    clients, cluster = listen(serving.config.port), listen(serving.config.metrics_port)
    probes = _server(create_probes_app(serving))
    thread = threading.Thread(target=probes.run, args=([cluster],), name="probes", daemon=True)
    thread.start()
    try:
        asyncio.run(_serve(serving, prepare, clients))
    finally:
        serving.engine.stop()
        probes.should_exit = True
        thread.join(timeout=5)


def listen(port: int) -> socket.socket:
    """A listening socket, for IPv6 and IPv4 where the machine has both; raises CannotServe where the port is taken."""
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
        return socket.create_server(("0.0.0.0", port), backlog=BACKLOG)
    except OSError as error:
        raise CannotServe(f"port {port} cannot be opened: {error.strerror}; free it or choose another") from None


def _server(app: FastAPI) -> Server:
    return Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )


async def _serve(serving: Serving, prepare: Callable[[], str], listener: socket.socket) -> None:
    stop = _stop_on_signals()
    server = _server(create_app(serving))
    running = [
        asyncio.create_task(server.serve(sockets=[listener]), name="server"),
        asyncio.create_task(_beat(serving), name="heartbeat"),
        asyncio.create_task(_watch_engine(serving, prepare), name="engine"),
        asyncio.create_task(stop.wait(), name="stop"),
    ]
    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        await _drain(serving, server)
    server.should_exit = True
    await running[0]
    for task in running[1:]:
        task.cancel()
    for task in done:
        task.result()  # raises what ended the process


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _beat(serving: Serving) -> None:
    while True:
        serving.lifecycle.beat()
        serving.saturation.observe(serving.engine.queued_audio_seconds, serving.queue_limit)
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _watch_engine(serving: Serving, prepare: Callable[[], str]) -> None:
    """Brings the model up; raises CannotServe as soon as the engine has failed, now or later."""
    started = time.monotonic()
    serving.digest = await asyncio.wrap_future(_in_the_background(prepare))
    serving.engine.start()
    while serving.engine.state is State.LOADING:
        await asyncio.sleep(POLL_SECONDS)
    if serving.engine.state is State.READY:
        seconds = time.monotonic() - started
        serving.metrics.loaded(seconds)
        log.info("ready: %s was loaded and proven in %.1f s", serving.model.name, seconds)
    while serving.engine.state is State.READY:
        await asyncio.sleep(POLL_SECONDS)
    raise CannotServe(serving.engine.error or "the engine stopped by itself")


def _in_the_background(work: Callable[[], str]) -> Future[str]:
    """Runs `work` in a thread that does not hold up the end of the process, as an executor's would."""
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="prepare", daemon=True).start()
    return future


async def _drain(serving: Serving, server: Server) -> None:
    """Leaves without losing a request: first not ready, then closed to new work, then out of work."""
    limit = serving.config.drain_seconds
    unrouted = time.monotonic()
    ends = unrouted + limit
    log.info("stopping: not ready from now on, at most %d s for the requests that are here", limit)
    serving.lifecycle.phase = Phase.LEAVING
    if serving.engine.state is State.READY:  # else no client was ever sent here
        unrouted += UNROUTED_SECONDS
        await asyncio.sleep(min(ENDPOINT_LAG_SECONDS, limit))
    serving.lifecycle.phase = Phase.REFUSING
    while (server.busy or time.monotonic() < unrouted) and time.monotonic() < ends:
        await asyncio.sleep(POLL_SECONDS)
    if server.busy:
        log.warning("stopping: %d requests were not finished in %d s", len(server.server_state.tasks), limit)
    log.info("stopped")
