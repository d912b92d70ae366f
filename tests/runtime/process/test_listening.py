"""A port that is listened on, by both families, and what is said where it cannot be."""

from __future__ import annotations

import socket

import pytest

from whisper_runtime.process.listening import CannotServe, listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_no_answer_waits_for_an_acknowledgement(host: str) -> None:
    """Else the body of each answer on a kept connection is held back until the client has acknowledged the head."""
    with listen(0) as listener, socket.create_connection((host, listener.getsockname()[1])):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotServe, match=f"port {port} cannot be opened: .*; free it or choose another"):
            listen(port)
