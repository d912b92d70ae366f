"""The life of a process between its signals: it beats, is told to stop, and ends without losing a request."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from typing import Final

from whisper_runtime.contract.network import READY_FAILURES, READY_PERIOD_SECONDS
from whisper_runtime.process.listening import UvicornServer
from whisper_runtime.service.lifecycle import HEARTBEAT_SECONDS, Lifecycle, Phase

log = logging.getLogger(__name__)

ENDPOINT_LAG_SECONDS: Final = 5.0
"""For how long a Service may go on sending clients to a pod that is not ready any more: those still get an answer.

The operator's constant of this name is the same lag in the other direction: until a Service sends clients to a pod that
has become ready. It is shorter, for its error only slows a rollout down; an error here loses requests.
"""
UNROUTED_SECONDS: Final = READY_PERIOD_SECONDS * READY_FAILURES + 2.0
"""Until no Service has this pod for its last resort (KEP-1669): its readiness probes must fail, and every node must
learn of it. A client that is sent to a pod that has ended waits for a minute in vain; until then all get a 503."""

POLL_SECONDS: Final = 0.1


def stop_on_signals() -> asyncio.Event:
    """Set as soon as the process is told to end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def beat(lifecycle: Lifecycle) -> None:
    """Shows that the main event loop runs, until it is cancelled."""
    while True:
        lifecycle.beat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def drain(lifecycle: Lifecycle, server: UvicornServer, limit: int, *, was_ready: bool) -> None:
    """Ends without losing a request, within `limit` seconds: first not ready, then closed to new work, then out of it.

    `was_ready`: clients may have been sent here.
    """
    unrouted = time.monotonic()
    ends = unrouted + limit
    log.info("stopping: not ready from now on, at most %d s for the requests that are here", limit)
    lifecycle.phase = Phase.LEAVING
    if was_ready:
        unrouted += UNROUTED_SECONDS
        await asyncio.sleep(min(ENDPOINT_LAG_SECONDS, limit))
    lifecycle.phase = Phase.REFUSING
    while (server.busy or time.monotonic() < unrouted) and time.monotonic() < ends:
        await asyncio.sleep(POLL_SECONDS)
    if server.busy:
        log.warning("stopping: %d requests were not finished in %d s", len(server.server_state.tasks), limit)
    log.info("stopped")
