"""The Ingress."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, live, observed, one, service

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


def test_an_ingress_does_not_move_to_a_host_that_another_has() -> None:
    before = live(one(children(service(ingress={"host": "mine.example.com"}, **EMPTY_DIR)), "Ingress"))
    wanted = service(ingress={"host": "theirs.example.com"}, **EMPTY_DIR)
    taken = {("theirs.example.com", "/"): "other/web"}
    found = one(children(wanted, observed(before, taken=taken)), "Ingress")
    assert found["spec"]["rules"] == before["spec"]["rules"]
    assert "Ingress" not in [body["kind"] for body in children(wanted, observed(taken=taken))]
    moved = one(children(wanted, observed(before)), "Ingress")
    assert moved["spec"]["rules"][0]["host"] == "theirs.example.com"
