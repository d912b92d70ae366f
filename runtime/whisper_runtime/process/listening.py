"""A port that is listened on, and the HTTP server behind it: the same for servers and for the front."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator, Iterable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from whisper_runtime.process.http_protocol import Connection
from whisper_runtime.service.client_identity import as_connected

BACKLOG: Final = 2048
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the 60 s for which proxies keep an idle connection: a proxy must not find it closed when it sends."""


class CannotServe(Exception):
    """A port is taken, or the engine has failed; the message says which, and the remedy."""


class UvicornServer(uvicorn.Server):
    """uvicorn without its signal handling, which would close the listeners at once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    @property
    def busy(self) -> bool:
        """Whether a request has not been answered yet."""
        return bool(self.server_state.tasks)


def listen(port: int) -> socket.socket:
    """A listening socket, for IPv6 and IPv4 where the machine has both; raises CannotServe where the port is taken."""
    is_dual = socket.has_dualstack_ipv6()
    address, family = ("::", socket.AF_INET6) if is_dual else ("0.0.0.0", socket.AF_INET)
    try:
        listener = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
    except OSError as error:
        raise CannotServe(f"port {port} cannot be opened: {error.strerror}; free it or choose another") from None
    # Accepted sockets inherit it on Linux. asyncio sets it only where a socket's `proto` is TCP's, and create_server's
    # is 0. Without it the body of an answer waits until the client acknowledges its head: 40 ms on a kept connection.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def uvicorn_server(
    app: ASGIApp,
    connection: type[Connection] = Connection,
    keep_alive_seconds: int = KEEP_ALIVE_SECONDS,
    trusted_proxies: Iterable[str] = (),
) -> UvicornServer:
    """A server for `app`, whose sockets `serve` or `run` take; a connection may be idle for `keep_alive_seconds`.

    `trusted_proxies`: whose X-Forwarded-For is believed, instead of what uvicorn reads from FORWARDED_ALLOW_IPS.
    """
    return UvicornServer(
        uvicorn.Config(
            app,
            http=connection,
            interface="asgi3",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=as_connected(trusted_proxies),
            timeout_keep_alive=keep_alive_seconds,
            timeout_graceful_shutdown=1,
        )
    )
