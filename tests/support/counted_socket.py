"""Listening sockets of tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def counted_socket(address: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    """A socket that takes connections and answers nothing; `was_connected_to` says whether it got one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family, dualstack_ipv6=address == "::") as listener:
        listener.setblocking(False)
        yield listener


def was_connected_to(listener: socket.socket) -> bool:
    """Whether a connection came; the kernel takes one before `connect` returns, so that none can come later."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
