"""Whether a pod has a way out is found by one connection, behind which nobody waits."""

from __future__ import annotations

import socket

import pytest

from whisper_runtime import egress
from whisper_runtime.egress import look_for_a_way_out


def looked(host: str, port: int) -> dict[str, bool]:
    found: dict[str, bool] = {}
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
    thread = look_for_a_way_out(environment, found.__setitem__)
    assert thread is not None
    thread.join()
    return found


def test_an_address_that_takes_the_connection_is_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert looked(*listener.getsockname()) == {"kubernetes-api": True}


def test_one_that_refuses_it_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert looked(*address) == {"kubernetes-api": False}


def test_one_that_drops_every_packet_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "TIMEOUT_SECONDS", 0.2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with socket.create_connection(address):  # its queue is full, so that the kernel lets the next one wait
            assert looked(*address) == {"kubernetes-api": False}


@pytest.mark.parametrize(
    "environment", [{}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT": "443"}]
)
def test_outside_of_a_cluster_nothing_is_tried(environment: dict[str, str]) -> None:
    assert look_for_a_way_out(environment, lambda *_: pytest.fail("it was tried")) is None
