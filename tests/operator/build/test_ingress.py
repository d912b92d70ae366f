"""The Ingress."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, one, service

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
READ = "nginx.ingress.kubernetes.io/proxy-read-timeout"


def annotations(**ingress: Any) -> dict[str, str]:
    wanted = service(ingress=ingress, server={"requestTimeout": "10m"}, **EMPTY_DIR)
    return one(children(wanted), "Ingress")["metadata"]["annotations"]


def test_a_proxy_waits_longer_than_the_server_so_that_the_servers_answer_arrives() -> None:
    assert annotations(className="nginx")[READ] == "615"


def test_the_users_annotations_come_before_the_operators() -> None:
    found = annotations(className="nginx", annotations={READ: "5", "example.com/a": "b"})
    assert (found[READ], found["example.com/a"]) == ("5", "b")
