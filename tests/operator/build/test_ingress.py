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


def spec(**ingress: Any) -> dict[str, Any]:
    return one(children(service(ingress=ingress, **EMPTY_DIR)), "Ingress")["spec"]


def test_each_host_has_each_path() -> None:
    more = [{"path": "/v1/models", "pathType": "Exact"}]
    found = spec(host="a.io", additionalHosts=["b.io"], path="/speech", additionalPaths=more, tls={"secretName": "t"})
    paths = [("/speech", "Prefix"), ("/v1/models", "Exact")]
    of = {rule["host"]: [(way["path"], way["pathType"]) for way in rule["http"]["paths"]] for rule in found["rules"]}
    assert of == {"a.io": paths, "b.io": paths}
    assert found["tls"] == [{"hosts": ["a.io", "b.io"], "secretName": "t"}]


def test_https_without_a_secret_is_the_controllers_default_certificate() -> None:
    assert spec(host="a.io", tls={})["tls"] == [{"hosts": ["a.io"]}]
    assert spec(host="a.io", tls={"issuerRef": {"name": "ours"}})["tls"] == [
        {"hosts": ["a.io"], "secretName": "speech-tls"}
    ]


def issuer(**tls: Any) -> dict[str, str]:
    found = annotations(host="a.io", className="traefik", tls=tls)
    return {name: value for name, value in found.items() if name.startswith("cert-manager.io/")}


def test_an_issuer_is_named_in_cert_managers_words() -> None:
    assert issuer(clusterIssuer="ours") == {"cert-manager.io/cluster-issuer": "ours"}
    assert issuer(issuerRef={"name": "ours"}) == {"cert-manager.io/issuer": "ours"}
    assert issuer(issuerRef={"name": "ours", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"}) == {
        "cert-manager.io/issuer": "ours",
        "cert-manager.io/issuer-kind": "AWSPCAIssuer",
        "cert-manager.io/issuer-group": "awspca.cert-manager.io",
    }


def test_the_users_labels_stand_beside_the_operators() -> None:
    found = one(children(service(ingress={"host": "a.io", "labels": {"router": "internal"}}, **EMPTY_DIR)), "Ingress")
    assert found["metadata"]["labels"]["router"] == "internal"
    assert found["metadata"]["labels"]["whisper-operator.io/service"] == "speech"


def test_an_ingress_waits_for_each_of_its_hosts() -> None:
    wanted = service(ingress={"host": "a.io", "additionalHosts": ["b.io"]}, **EMPTY_DIR)
    assert "Ingress" not in [body["kind"] for body in children(wanted, observed(taken={("b.io", "/"): "other/web"}))]
