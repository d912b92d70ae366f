"""A real API server, the operator, one runtime with real weights, and the services that it serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import runtime_process
from testbed.cluster import controlplane, crds
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from testbed.runtime_process import RuntimeProcess
from tests.support import optional_apis, traefik
from tests.support.kubectl import Kubectl, kubectl_on
from tests.support.neighbour_plane import own_address, runtime_settings, stand_in
from tests.support.services import EMPTY_DIR, service

ALL_ALLOWED = '{"exemptNamespaces": ["*"]}'
SELECTED = {"release": "prometheus"}
"""Labels by which the Prometheus of the tests selects."""
MONITOR = {
    "labels": SELECTED,
    "interval": "1s",
    "scrapeTimeout": "1s",
    "relabelings": [{"targetLabel": "team", "replacement": "speech"}],
    "metricRelabelings": [{"action": "drop", "sourceLabels": ["__name__"], "regex": "whisper_scratch_.*"}],
}
SERVER = {"requestTimeout": "20s", "maxUploadSize": "1Mi", "maxQueuedAudio": "30s", "maxBatchSize": 2}
"""Of eight requests at once two have a row, and the queue has no room for all the others."""


@pytest.fixture(scope="session")
def jfk(recordings: Path) -> bytes:
    return (recordings / "jfk.wav").read_bytes()


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    # The tests write the EndpointSlices: no pod runs.
    controllers = "*,-job-controller,-endpointslice-controller"
    directory = tmp_path_factory.mktemp("plane")
    # Not of the loopback: a network namespace reaches it, too.
    with controlplane.running(directory, controllers=controllers, address=own_address()) as running:
        yield running


@pytest.fixture(scope="session")
def namespace(plane: ControlPlane) -> Kubectl:
    """kubectl in the namespace `neighbours`, with every API that the operator or a neighbour works with."""
    kubectl = kubectl_on(plane)
    sources = (crds.WHOLE_GATEWAY_API, crds.WHOLE_KEDA, crds.WHOLE_PROMETHEUS_OPERATOR, crds.CERT_MANAGER)
    files = [file for source in sources for file in crds.ensure(source)]
    optional_apis.install(kubectl, [REPOSITORY / "crds", *files])
    kubectl("create", "namespace", "neighbours")
    return kubectl.within("neighbours")


@pytest.fixture(scope="session")
def running(plane: ControlPlane, namespace: Kubectl) -> Iterator[OperatorProcess]:
    found = OperatorProcess(plane, settings={"DISCOVERY_SECONDS": "1", "POLICY": ALL_ALLOWED})
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def services(namespace: Kubectl, running: OperatorProcess) -> Kubectl:
    """The namespace with two services of the same limits, that differ in what leads clients to them."""
    namespace.apply(
        service(
            "speech",
            **EMPTY_DIR,
            server=SERVER,
            ingress={"className": "traefik", "host": "ingress.example.com"},
            gateway={"parentRefs": [{"name": traefik.GATEWAY}], "hostnames": ["gateway.example.com"]},
            monitoring={"serviceMonitor": MONITOR, "alerts": {"labels": SELECTED, "alertLabels": {"team": "speech"}}},
        ),
        service(
            "speech-nginx",
            **EMPTY_DIR,
            server=SERVER,
            ingress={"className": "nginx", "host": "nginx.example.com"},
            monitoring={"serviceMonitor": {}, "alerts": {}},
        ),
    )
    return namespace


@pytest.fixture(scope="session")
def runtime(services: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A runtime with the limits of both services, which is each one's pod."""
    settings = runtime_settings(services, "speech")
    with runtime_process.running(Path(tmp_path_factory.mktemp("runtime")), **settings) as found:
        for name in ("speech", "speech-nginx"):
            stand_in(services, name, found)
        yield found
