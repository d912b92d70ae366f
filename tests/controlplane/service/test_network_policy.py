"""What the built NetworkPolicies let through, as cyclonus judges them (https://github.com/mattfenwick/cyclonus).

In the direction of a row the pod's own policy decides; no other policy is there.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cluster import binaries
from whisper_operator.objects import names
from whisper_operator.objects.kinds import NETWORK_POLICY

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = ROOT / "tests/golden/everything.yaml"
NAMESPACE = "default"

Peer = dict[str, Any]


def pod(labels: dict[str, str], namespace: str = NAMESPACE, ip: str = "10.1.0.9") -> Peer:
    its_namespace = {"kubernetes.io/metadata.name": namespace}
    return {"IP": ip, "Internal": {"PodLabels": labels, "Namespace": namespace, "NamespaceLabels": its_namespace}}


def outside(ip: str) -> Peer:
    return {"IP": ip}


SERVER = pod(names.labels("everything", names.SERVER), ip="10.1.0.1")
VERIFY = pod(names.labels("everything", names.VERIFY))
PREFETCH = pod(names.labels("everything", names.PREFETCH))
OTHER_VERIFY = pod(names.labels("another", names.VERIFY))
CLIENT = pod({"app": "nginx"}, "ingress-nginx")
SCRAPER = pod({"app": "prometheus"}, "monitoring")
STRANGER = pod({"app": "web"})
DNS = pod({"k8s-app": "kube-dns"}, "kube-system")
NODE_LOCAL_DNS_IPV6 = outside("fd00::a9fe:140a")
NODE_LOCAL_DNS, PROXY, WEB = outside("169.254.20.10"), outside("10.0.0.5"), outside("93.184.216.34")

TABLE: list[tuple[str, Peer, Peer, int, str, bool]] = [
    ("a client sends requests", CLIENT, SERVER, 8000, "TCP", True),
    ("a client reads no metrics", CLIENT, SERVER, 9000, "TCP", False),
    ("a scraper reads metrics", SCRAPER, SERVER, 9000, "TCP", True),
    ("a scraper sends no requests", SCRAPER, SERVER, 8000, "TCP", False),
    ("the verification sends requests", VERIFY, SERVER, 8000, "TCP", True),
    ("the verification asks for readiness", VERIFY, SERVER, 9000, "TCP", True),
    ("another service's verification does not", OTHER_VERIFY, SERVER, 8000, "TCP", False),
    ("a stranger sends no requests", STRANGER, SERVER, 8000, "TCP", False),
    ("a stranger reads no metrics", STRANGER, SERVER, 9000, "TCP", False),
    ("the world sends no requests", WEB, SERVER, 8000, "TCP", False),
    ("a client reaches no other port", CLIENT, SERVER, 22, "TCP", False),
    ("a server asks the cluster's DNS", SERVER, DNS, 53, "UDP", True),
    ("by TCP too", SERVER, DNS, 53, "TCP", True),
    ("a server asks its node's DNS", SERVER, NODE_LOCAL_DNS, 53, "UDP", True),
    ("of IPv6, too", SERVER, NODE_LOCAL_DNS_IPV6, 53, "TCP", True),
    ("and nothing else there", SERVER, NODE_LOCAL_DNS_IPV6, 443, "TCP", False),
    ("a server reaches what allowTo names", SERVER, PROXY, 3128, "TCP", True),
    ("on that port alone", SERVER, PROXY, 443, "TCP", False),
    ("a server fetches recordings from the world", SERVER, WEB, 443, "TCP", True),
    ("on the ports of the hosts alone", SERVER, WEB, 80, "TCP", False),
    ("and from the networks that are listed", SERVER, outside("10.20.0.5"), 9000, "TCP", True),
    ("and from no other that is private", SERVER, outside("10.21.0.5"), 443, "TCP", False),
    ("nor from another pod", SERVER, STRANGER, 443, "TCP", False),
    ("nor from the cloud's metadata", SERVER, outside("169.254.169.254"), 443, "TCP", False),
    ("a server reaches no other pod", SERVER, STRANGER, 80, "TCP", False),
    ("a server reaches no DNS of the world", SERVER, WEB, 53, "UDP", False),
    ("a fetch reaches the model's source", PREFETCH, WEB, 443, "TCP", True),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[bool]:
    """cyclonus' answer to each row of the table."""
    directory = tmp_path_factory.mktemp("cyclonus")
    policies = [body for body in yaml.safe_load_all(EVERYTHING.read_text()) if body["kind"] == NETWORK_POLICY.kind]
    (directory / "policy.yaml").write_text(yaml.safe_dump(policies[0]))
    rows = [
        {"Source": source, "Destination": to, "ResolvedPort": port, "ResolvedPortName": "", "Protocol": protocol}
        for _, source, to, port, protocol, _ in TABLE
    ]
    (directory / "traffic.json").write_text(json.dumps(rows))
    command = (str(binaries.ensure("cyclonus") / "cyclonus"), "analyze", "--mode", "query-traffic")
    where = ("--policy-path", str(directory / "policy.yaml"), "--traffic-path", str(directory / "traffic.json"))
    done = subprocess.run((*command, *where), capture_output=True, text=True, check=True)
    found = re.findall(r"is allowed\?\s*\|\s*(true|false)", done.stdout, re.IGNORECASE)
    assert len(found) == len(TABLE), done.stdout
    return [answer.lower() == "true" for answer in found]


@pytest.mark.parametrize("row", range(len(TABLE)), ids=[row[0] for row in TABLE])
def test_what_is_let_through(judged: list[bool], row: int) -> None:
    assert judged[row] is TABLE[row][-1]
