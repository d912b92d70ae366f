"""Whether a pod has a way out is found by one connection, behind which nobody waits."""

from __future__ import annotations

import socket

import pytest

from whisper_runtime.process import egress_probe
from whisper_runtime.process.egress_probe import look_for_a_way_out


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_probe, "PAUSES_SECONDS", (0.01, 0.01))


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


def test_it_is_tried_again_until_the_policies_of_a_new_pod_are_in_force() -> None:
    found: list[bool] = []
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()

    def told(_: str, is_open: bool) -> None:
        found.append(is_open)
        listener.close()

    thread = look_for_a_way_out({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}, told)
    assert thread is not None
    thread.join()
    assert found == [True, False]


def test_one_that_refuses_it_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert looked(*address) == {"kubernetes-api": False}


def test_one_that_drops_every_packet_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_probe, "TIMEOUT_SECONDS", 0.2)
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
    assert (
        look_for_a_way_out(environment, lambda target, is_open: pytest.fail(f"{target} was tried: {is_open}")) is None
    )
