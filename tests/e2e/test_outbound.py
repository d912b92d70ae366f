"""No name and no redirect makes a real pod connect to its own network: `url` and `webhook_url`, as the operator writes
the configuration.

The names are answered by a name server of the test, which may give any address, and another one each time.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import httpx
import pytest

from testbed.cluster import network
from testbed.inputs import recordings
from tests.fakes.name_server import NameServer, answering_names
from tests.fakes.web_server import FakeRequest, answering
from tests.fakes.webhook_receiver import SECRET
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service
from tests.support.waiting import eventually

NAME = "caller"
ZONE = "example.com"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
FORM = {"model": "whisper-1", "language": "en"}
AUDIO = b"not audio"


@dataclass
class Victim:
    """Listens at every address of this machine, and says what connected."""

    port: int = 0
    came: list[str] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[Victim]:
        over = threading.Event()
        with socket.create_server(("", 0)) as server:
            server.settimeout(0.2)
            self.port = server.getsockname()[1]

            def accept() -> None:
                while not over.is_set():
                    try:
                        connection, client = server.accept()
                    except TimeoutError:
                        continue
                    self.came.append(client[0])
                    connection.close()

            thread = threading.Thread(target=accept)
            thread.start()
            yield self
            over.set()
            thread.join()


class PublicRequest(FakeRequest):
    """What a listed server answers: `/to?URL` redirects there, anything else is a file; events are taken."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path, _, target = self.path.partition("?")
        if path == "/to":
            return self.answer(302, headers={"Location": target})
        self.answer(200, AUDIO, {"Content-Type": "audio/wav"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        self.answer(500)  # and so it is sent again


@dataclass
class Surroundings:
    """The service, and what is around it."""

    url: str
    names: NameServer
    victim: Victim
    public: str
    """The address of the listed server, in a network that is listed; `asked`: its requests."""
    public_port: int
    asked: list[str]
    addresses: dict[str, str]
    """Of what must not be connected to, by what it is."""

    def post(self, **form: str) -> httpx.Response:
        headers = {"Prefer": "respond-async"}
        return plain_http.post(f"{self.url}{TRANSCRIPTIONS}", data=FORM | form, headers=headers, timeout=60)

    def with_recording(self, **form: str) -> httpx.Response:
        file = (recordings.ensure() / "jfk.wav").read_bytes()
        headers = {"Prefer": "respond-async"}
        url = f"{self.url}{TRANSCRIPTIONS}"
        return plain_http.post(url, files={"file": file}, data=FORM | form, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def surroundings(namespace: Kubectl) -> Iterator[Surroundings]:
    node = next(
        one["address"] for one in namespace.list("nodes")[0]["status"]["addresses"] if one["type"] == "InternalIP"
    )
    asked: list[str] = []
    with (
        Victim().listening() as victim,
        answering_names(node) as names,
        answering(PublicRequest, "0.0.0.0", asked=asked) as listed,
    ):
        port = int(listed.rpartition(":")[2])
        bridge = _bridge()
        mirror = namespace.within("whisper-models").get("service", "models")
        assert mirror is not None
        names.names |= {"models.whisper-models.svc.cluster.local": [[mirror["spec"]["clusterIP"]]]}
        hosts = {
            "allowedHosts": [f"http://*.{ZONE}:{each}" for each in (port, victim.port, 80, 8000)]
            + [f"*.{ZONE}", f"*.{ZONE}:6443"],
            "privateNetworks": [f"{bridge}/32"],
        }
        namespace.apply(*_victims_service(node, victim.port), _secret())
        namespace.apply(
            mirrored_service(
                NAME,
                server={"audioUrls": hosts},
                jobs={
                    "storage": {"type": "EmptyDir"},
                    "webhooks": hosts | {"secretRef": {"name": "signing"}},
                },
                podTemplate={"spec": {"dnsPolicy": "None", "dnsConfig": {"nameservers": [node]}}},
            )
        )
        namespace.wait_ready(NAME)
        victims = namespace.get("service", "victim")
        kubernetes = namespace.within("default").get("service", "kubernetes")
        assert victims is not None
        assert kubernetes is not None
        (pod,) = namespace.pods_of(NAME)
        addresses = {
            "the node": node,
            "a Service": victims["spec"]["clusterIP"],
            "the API server": kubernetes["spec"]["clusterIP"],
            "its own pod": pod["status"]["podIP"],
            "a pod": namespace.within("whisper-models").list("pods")[0]["status"]["podIP"],
        }
        yield Surroundings(namespace.address(NAME), names, victim, bridge, port, asked, addresses)


def _bridge() -> str:
    """The address of this machine in the network of pods, by which these reach others."""
    return str(next(ip_network(network.POD_NETWORK).hosts()))


def _victims_service(node: str, port: int) -> list[dict[str, Any]]:
    """A Service whose endpoint is the victim."""
    ports = [{"name": "http", "port": port}]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "victim"}, "spec": {"ports": ports}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "victim", "labels": {"kubernetes.io/service-name": "victim"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [node]}],
            "ports": ports,
        },
    ]


def _secret() -> dict[str, Any]:
    data = {"key": base64.b64encode(SECRET.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "signing"}, "data": data}


def mapped(address: str) -> str:
    return f"::ffff:{address}"


def translated(address: str) -> str:
    """As behind a NAT64."""
    return str(IPv6Address((0x64FF9B << 96) | int(ip_address(address))))


def six_to_four(address: str) -> str:
    return str(IPv6Address((0x2002 << 112) | (int(ip_address(address)) << 80)))


def forms(address: str) -> list[list[str]]:
    """The addresses that a name has, each time others: that one, its forms in IPv6, and it behind a public one."""
    return [
        [address],
        [mapped(address)],
        [translated(address)],
        [six_to_four(address)],
        ["93.184.215.14", address],
    ]


FIXED = {
    "loopback": "127.0.0.1",
    "another loopback": "127.8.8.8",
    "no address": "0.0.0.0",
    "clouds' metadata": "169.254.169.254",
    "shared by carriers": "100.64.0.1",
}
IPV6 = ("::1", "::", "fe80::1", "fd00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1")
FIELDS: dict[str, Callable[[Surroundings, str], httpx.Response]] = {
    "url": lambda around, url: around.post(url=url),
    "webhook_url": lambda around, url: around.with_recording(webhook_url=url),
}


@pytest.mark.parametrize("field", FIELDS)
def test_no_name_of_an_address_within_is_connected_to(surroundings: Surroundings, field: str) -> None:
    around = surroundings
    rows = [row for address in (FIXED | around.addresses).values() for row in forms(address)]
    for number, row in enumerate([*rows, *([one] for one in IPV6)]):
        host = f"{field.replace('_', '-')}-{number}.{ZONE}"
        around.names.names[host] = [row]
        for url in (f"http://{host}:{around.victim.port}/a.wav", f"https://{host}:6443/a", f"http://{host}:8000/a"):
            refused = FIELDS[field](around, url)
            assert refused.status_code == 400, (row, url, refused.text)
            assert refused.json()["error"]["code"] == f"{field}_not_allowed", (row, refused.text)
    assert around.victim.came == []


@pytest.mark.parametrize("field", FIELDS)
def test_no_address_is_connected_to_without_a_name(surroundings: Surroundings, field: str) -> None:
    around = surroundings
    written = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
    for host in (*written, *around.addresses.values()):
        for url in (f"http://{host}:{around.victim.port}/", f"https://{host}/", f"http://{host}:8000/"):
            refused = FIELDS[field](around, url)
            assert refused.status_code == 400, (url, refused.text)
    assert around.victim.came == []


def test_no_redirect_leads_within(surroundings: Surroundings) -> None:
    around = surroundings
    around.names.names[f"files.{ZONE}"] = [[around.public]]
    around.names.names[f"within.{ZONE}"] = [[around.addresses["a Service"]]]
    listed = f"http://files.{ZONE}:{around.public_port}"
    targets = [f"http://{one}:{around.victim.port}/" for one in (*around.addresses.values(), f"within.{ZONE}", "[::1]")]
    for target in (*targets, f"{listed}/to?{targets[0]}", f"//{around.addresses['the node']}:{around.victim.port}/"):
        refused = around.post(url=f"{listed}/to?{target}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "url_not_allowed"), refused.text
    assert around.asked
    assert around.victim.came == []


def test_a_name_that_changes_its_address_is_judged_each_time(surroundings: Surroundings) -> None:
    """One look-up gives the listed server, the next one what is within, and so on."""
    around, host = surroundings, f"rebinding.{ZONE}"
    around.names.names[host] = [[around.public], [around.addresses["the node"]]]
    codes = [around.post(url=f"http://{host}:{around.public_port}/a.wav").json()["error"]["code"] for _ in range(6)]
    assert set(codes) == {"url_not_allowed", "not_audio"}, codes  # the listed server's file is no recording
    assert around.victim.came == []


def test_an_address_that_changes_after_the_request_gets_no_event(surroundings: Surroundings) -> None:
    around, host = surroundings, f"hooks.{ZONE}"
    around.names.names[host] = [[around.public]]
    taken = around.with_recording(webhook_url=f"http://{host}:{around.victim.port}/hook")
    assert taken.status_code == 202, taken.text
    around.names.names[host] = [[around.addresses["a Service"]]]
    path = f"{around.url}{TRANSCRIPTIONS}/{taken.json()['id']}"

    def last_error() -> str:
        return (plain_http.get(path).json()["webhook"] or {})["last_error"] or ""

    eventually("the event is refused", lambda: "does not connect" in last_error(), 120)
    assert around.victim.came == []
