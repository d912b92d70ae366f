"""Whether a pod has egress is found by one connection, for which nothing waits."""

from __future__ import annotations

import socket

import pytest

from whisper_runtime.process.egress_probe import probe_egress


def probed(host: str, port: int, timeout: float = 3.0) -> dict[str, bool]:
    found: dict[str, bool] = {}
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
    thread = probe_egress(environment, found.__setitem__, pauses=(0.0, 0.0), timeout=timeout)
    assert thread is not None
    thread.join()
    return found


def test_an_address_that_takes_the_connection_is_egress() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert probed(*listener.getsockname()) == {"kubernetes-api": True}


def test_it_is_tried_again_until_the_policies_of_a_new_pod_are_in_force() -> None:
    found: list[bool] = []
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()

    def report(_: str, is_open: bool) -> None:
        found.append(is_open)
        listener.close()

    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
    thread = probe_egress(environment, report, pauses=(0.0, 0.0))
    assert thread is not None
    thread.join()
    assert found == [True, False]


def test_one_that_refuses_it_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert probed(*address) == {"kubernetes-api": False}


def test_one_that_drops_every_packet_is_none() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with socket.create_connection(address):  # its queue is full, so that the kernel lets the next one wait
            assert probed(*address, timeout=0.2) == {"kubernetes-api": False}


@pytest.mark.parametrize(
    "environment", [{}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT": "443"}]
)
def test_outside_of_a_cluster_nothing_is_tried(environment: dict[str, str]) -> None:
    def report(target: str, is_open: bool) -> None:
        pytest.fail(f"{target} was tried: {is_open}")

    assert probe_egress(environment, report) is None
