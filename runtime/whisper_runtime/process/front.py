"""The process of the front: its two HTTP servers, the look-ups of servers, and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from typing import Final

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front.app import FrontParts, clients_app, cluster_app, front_parts
from whisper_runtime.front.discovery import Discovery, look_up
from whisper_runtime.front.server_client import server_transport
from whisper_runtime.front.servers import parse_servers
from whisper_runtime.front.spool import spool_problem
from whisper_runtime.process.draining import beat, drain, stop_on_signals
from whisper_runtime.process.http_protocol import Connection
from whisper_runtime.process.listening import CannotServe, listen, uvicorn_server
from whisper_runtime.service import tracing

log = logging.getLogger(__name__)


READ_BYTES: Final = 32 * 1024
"""That are taken from a socket at once, in the place of asyncio's 256 KiB: there may be a thousand of them."""


class FrontConnection(Connection):
    """A connection of which little is in memory."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        vars(transport)["max_size"] = READ_BYTES
        super().connection_made(transport)


def run_front(config: RuntimeConfig) -> str | None:
    """Passes requests on until SIGTERM or SIGINT; returns None then, else why the process cannot."""
    if config.servers is None:
        return "WHISPER_SERVERS is not set: name the servers, as `whisper-servers.default.svc:8000`"
    if problem := spool_problem(config.spool_dir):
        return problem
    parts = front_parts(config, server_transport(), tracing.start(os.environ))
    discovery = Discovery(parse_servers(config.servers), parts.watch.set_addresses, look_up)
    try:
        _serve_front(parts, discovery)
    except CannotServe as error:
        return str(error)
    return None


def _serve_front(parts: FrontParts, discovery: Discovery) -> None:
    """Serves until a signal; raises CannotServe where a port is taken."""
    clients, cluster = listen(parts.config.port), listen(parts.config.metrics_port)
    probes = uvicorn_server(cluster_app(parts))
    thread = threading.Thread(target=probes.run, args=([cluster],), name="probes", daemon=True)
    thread.start()
    try:
        asyncio.run(_until_stopped(parts, discovery, clients))
    finally:
        if parts.tracing is not None:
            parts.tracing.stop()
        probes.should_exit = True
        thread.join(timeout=5)


async def _until_stopped(parts: FrontParts, discovery: Discovery, listener: socket.socket) -> None:
    stop = stop_on_signals()
    parts.outlook.begin()
    await discovery.look()  # a request that comes first must not wait for a second where there is a server
    server = uvicorn_server(clients_app(parts), FrontConnection, trusted_proxies=parts.config.trusted_proxies)
    running = [
        asyncio.create_task(server.serve(sockets=[listener]), name="server"),
        asyncio.create_task(beat(parts.lifecycle), name="heartbeat"),
        asyncio.create_task(discovery.watch(), name="discovery"),
        asyncio.create_task(stop.wait(), name="stop"),
        *((asyncio.create_task(parts.store.keep(), name="store"),) if parts.store else ()),
    ]
    log.info("the front is ready, with %d addresses of servers", len(discovery.addresses))
    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        await drain(parts.lifecycle, server, parts.config.drain_seconds, was_ready=True)
    parts.turnstile.close()  # what has no server by now will have none
    server.should_exit = True
    await running[0]
    for task in running[1:]:
        task.cancel()
    parts.watch.close()
    await parts.servers.close()
    if parts.jobs:
        await parts.jobs.close()
    for task in done:
        task.result()  # raises what ended the process
