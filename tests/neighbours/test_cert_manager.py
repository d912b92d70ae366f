"""cert-manager issues for the Ingresses that the operator writes, traefik serves it, and clients trust it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from testbed.runtime_process import RuntimeProcess
from tests.support import cert_manager, traefik
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import stand_in
from tests.support.services import EMPTY_DIR, reason, service
from tests.support.waiting import eventually
from whisper_runtime.contract.network import BALANCER_PATH

EXAMPLE = REPOSITORY / "examples/production.yaml"
NAMESPACE = "production"
HOST = "speech.example.com"
MORE = {"host": "one.example.com", "additionalHosts": ["two.example.com"]}
WAYS = {
    "issuer": {**MORE, "tls": {"issuerRef": {"name": "ours"}}},
    "kind": {
        "host": "three.example.com",
        "tls": {"issuerRef": {"name": "ours", "kind": "Issuer"}, "secretName": "kept"},
    },
    "annotation": {
        "host": "four.example.com",
        "tls": {"secretName": "annotated"},
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
    },
}
"""Of the ways to name an issuer those that the example does not use, by the service's name."""


@pytest.fixture(scope="module")
def production(namespace: Kubectl, running: OperatorProcess) -> Kubectl:
    """The namespace of the example, with what its head tells to create."""
    namespace("create", "namespace", NAMESPACE)
    found = namespace.within(NAMESPACE)
    found("create", "secret", "generic", "speech-keys", "--from-literal=team-a=1234567890abcdef")
    found("apply", "-f", str(EXAMPLE))
    for name, ingress in WAYS.items():
        found.apply(service(name, **EMPTY_DIR, ingress={"className": "nginx", **ingress}))
    for name in ("speech", *WAYS):
        eventually(f"the Ingress of {name} is there", lambda name=name: found.get("ingress", name))
    return found


@pytest.fixture(scope="module")
def before(production: Kubectl) -> dict[str, str]:
    """Reason of the condition PreflightPassed of each service, while no certificate is there yet."""
    for name in ("speech", *WAYS):
        eventually(f"{name} is judged", lambda name=name: reason(production, name, "PreflightPassed"))
    return {name: reason(production, name, "PreflightPassed") for name in ("speech", *WAYS)}


@pytest.fixture(scope="module")
def authority(plane: ControlPlane, production: Kubectl, before: dict[str, str]) -> Iterator[str]:
    """Certificate of the authority that the example's issuer signs for, while cert-manager runs."""
    with cert_manager.running(plane):
        found = cert_manager.authority(production)
        production.apply(cert_manager.by_authority("ClusterIssuer", "letsencrypt"))
        key = production.within(cert_manager.NAME).get("secret", cert_manager.AUTHORITY)
        assert key is not None
        production.apply({**key, "metadata": {"name": cert_manager.AUTHORITY}})
        production.apply(cert_manager.by_authority("Issuer", "ours"))
        yield found


@pytest.fixture(scope="module")
def proxy(
    plane: ControlPlane, production: Kubectl, runtime: RuntimeProcess, authority: str
) -> Iterator[traefik.RunningTraefik]:
    for name in ("speech", *WAYS):
        stand_in(production, name, runtime)
    with traefik.running(plane, production) as found:
        yield found


def asked(proxy: traefik.RunningTraefik, authority: str, host: str) -> int:
    """Status of the answer by HTTPS, to a client that trusts the authority; 0: it does not trust what it is shown."""
    trusted = ssl.create_default_context(cadata=authority)
    headers, name = {"Host": host}, {"sni_hostname": host}
    with httpx.Client(verify=trusted) as client:
        try:
            return client.get(f"{proxy.tls_url}{BALANCER_PATH}", headers=headers, extensions=name).status_code
        except httpx.ConnectError:
            return 0


HOSTS = [HOST, *(host for way in WAYS.values() for host in (way["host"], *way.get("additionalHosts", ())))]


@pytest.mark.parametrize("host", HOSTS)
def test_clients_are_served_by_https_under_each_host(proxy: traefik.RunningTraefik, authority: str, host: str) -> None:
    eventually(f"{host} is served", lambda: asked(proxy, authority, host) == 200)


@pytest.mark.usefixtures("proxy")
def test_a_host_that_no_certificate_names_is_not_trusted(proxy: traefik.RunningTraefik, authority: str) -> None:
    eventually("the example is served", lambda: asked(proxy, authority, HOST) == 200)
    assert asked(proxy, authority, "another.example.com") == 0


def test_no_service_waits_for_a_certificate(before: dict[str, str]) -> None:
    """None has a Secret of the user's to look for: cert-manager writes it, and may take hours."""
    assert "TlsSecretInvalid" not in before.values()


@pytest.mark.usefixtures("proxy")
def test_the_status_has_the_address_by_https(production: Kubectl) -> None:
    eventually("it is exposed", lambda: production.condition("speech", "Exposed").get("status") == "True")
    assert (production.get("wsvc", "speech") or {})["status"]["url"] == f"https://{HOST}"


def test_a_certificate_that_is_lost_is_issued_anew_and_changes_nothing_of_ours(
    proxy: traefik.RunningTraefik, authority: str, production: Kubectl
) -> None:
    eventually("the example is served", lambda: asked(proxy, authority, HOST) == 200)
    first = cert_manager.certificate(production, "speech-tls")
    seen = generations_and_checks(production)
    production("delete", "secret", "speech-tls")
    eventually("it is issued anew", lambda: production.get("secret", "speech-tls"))
    assert cert_manager.certificate(production, "speech-tls") != first
    eventually("the example is served again", lambda: asked(proxy, authority, HOST) == 200)
    assert generations_and_checks(production) == seen


def generations_and_checks(production: Kubectl) -> tuple[int, int, str]:
    """Generations of the example's Ingress and WhisperService, and the reason of its condition PreflightPassed."""
    ingress, found = ((production.get(kind, "speech") or {})["metadata"]["generation"] for kind in ("ingress", "wsvc"))
    return ingress, found, reason(production, "speech", "PreflightPassed")


@pytest.mark.usefixtures("authority")
def test_what_cert_manager_wrote_for_a_service_goes_with_it(production: Kubectl) -> None:
    """But for the Secret, which it leaves: the next service of that name has its certificate at once."""
    eventually("there is a Certificate", lambda: production.get("certificate", "kept"))
    production("delete", "wsvc", "kind", "--wait")
    eventually("the Certificate is gone", lambda: production.get("certificate", "kept") is None)
    assert production.get("secret", "kept")
