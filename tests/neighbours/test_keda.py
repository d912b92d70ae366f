"""KEDA scales what the operator gives it: from no pod by what a front holds, to many by the audio, and to none again.

The front is a real one, whose address of this machine the tests write into an EndpointSlice; no pod runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess
from tests.support import keda
from tests.support.kubectl import Kubectl
from tests.support.kubelet import start_pods
from tests.support.neighbour_plane import behind
from tests.support.running_process import FRONT, RunningProcess
from tests.support.running_process import running as front_running
from tests.support.services import EMPTY_DIR, patch, service
from tests.support.waiting import awaited, eventually
from whisper_operator.resolve.wake import unix
from whisper_runtime.contract.network import METRICS_PORT

NOWHERE = "127.0.0.1:1"
"""Where no server is."""
HELD_SECONDS = 40
"""After which a front gives a request up that it holds."""
COOLDOWN_SECONDS = 5
TIMES = {"pollingInterval": "1s", "cooldownPeriod": f"{COOLDOWN_SECONDS}s"}
ON_DEMAND = {"minReplicas": 0, "maxReplicas": 4, "metrics": [], "keda": {"onDemand": True, **TIMES}}
BY_PROMETHEUS = {
    "minReplicas": 1,
    "metrics": [{"type": "QueuedAudio"}],
    "keda": {"prometheusAddress": "http://127.0.0.1:1", **TIMES},
}


@pytest.fixture(scope="module")
def scaled(
    plane: ControlPlane, namespace: Kubectl, running: OperatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubectl]:
    """The namespace `scaled`, in which KEDA scales what its webhook has let in."""
    for name in ("scaled", keda.NAMESPACE):
        namespace("create", "namespace", name)
    found = namespace.within("scaled")
    with (
        keda.running(plane, tmp_path_factory.mktemp("keda")),
        keda.admitting(plane, found, tmp_path_factory.mktemp("admission")),
    ):
        yield found


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A front that finds no server, at the port that KEDA asks."""
    log = tmp_path_factory.mktemp("front") / "log"
    settings = {"servers": NOWHERE, "request_timeout_seconds": HELD_SECONDS}
    with front_running(FRONT, log, metrics_port=METRICS_PORT, **settings) as found:
        yield found


@pytest.fixture
def speech(scaled: Kubectl, front: RunningProcess) -> Iterator[Kubectl]:
    """Given a service that KEDA scales by what that front holds."""
    scaled.apply(
        service("speech", autoscaling=ON_DEMAND, **EMPTY_DIR), behind("speech-front-metrics", "metrics", METRICS_PORT)
    )
    eventually("KEDA has taken it", lambda: keda.condition(scaled, "speech", "Ready").get("status") == "True")
    yield scaled
    scaled("delete", "wsvc", "speech", "--wait")
    eventually("its pods are gone", lambda: scaled.pods_of("speech") == [])


@pytest.fixture
def asleep(speech: Kubectl) -> Kubectl:
    """Given that its first pod has proven the model, and KEDA has ended it."""
    eventually("there is a pod", lambda: speech.pods_of("speech"))
    start_pods(speech)
    eventually("there is none", lambda: replicas(speech) == 0)
    return speech


def replicas(namespace: Kubectl, name: str = "speech") -> int | None:
    return (namespace.get("deployment", name) or {"spec": {}})["spec"].get("replicas")


def last_active(namespace: Kubectl) -> str:
    """When KEDA has last seen the service wanted."""
    return (namespace.get("scaledobject", "speech") or {}).get("status", {}).get("lastActiveTime", "")


def told(namespace: Kubectl, name: str = "speech") -> tuple[str, str]:
    found = namespace.condition(name, "AutoscalingActive")
    return found.get("status", ""), found.get("reason", "")


def held(front: RunningProcess, count: int) -> list[Future[httpx.Response]]:
    """So many requests, once the front holds them all."""
    pool = ThreadPoolExecutor(count)
    found = [pool.submit(front.transcribe, 1.0) for _ in range(count)]
    pool.shutdown(wait=False)
    demand = f"{front.cluster}/demand"
    eventually("they are held", lambda: httpx.get(demand).json()["heldRequests"] == count)
    return found


def test_keda_takes_the_object_and_makes_an_autoscaler(speech: Kubectl) -> None:
    made = awaited("there is an autoscaler", lambda: speech.get("hpa", "keda-hpa-speech"))
    assert made["spec"]["scaleTargetRef"]["name"] == "speech"
    eventually("the service says so", lambda: told(speech) == ("True", "ScaledObjectReady"))


def test_the_first_pod_stays_until_it_has_proven_the_model(speech: Kubectl) -> None:
    """Nobody has asked for it, and longer than the cooldown."""
    first = awaited("KEDA keeps it", lambda: last_active(speech))
    eventually("that lasts", lambda: seconds_between(first, last_active(speech)) > 2 * COOLDOWN_SECONDS)
    assert replicas(speech) == 1
    start_pods(speech)
    eventually("there is none", lambda: replicas(speech) == 0)
    eventually("the service says so", lambda: speech.condition("speech", "Available")["reason"] == "ScaledToZero")


def seconds_between(first: str, second: str) -> float:
    return unix(second) - unix(first)


def test_a_held_request_starts_a_pod_and_the_operator_fights_for_none(
    asleep: Kubectl, front: RunningProcess, plane: ControlPlane
) -> None:
    since = plane.audit_log.stat().st_size
    requests = held(front, 1)
    eventually("a pod is started", lambda: replicas(asleep) == 1)
    assert not requests[0].done()
    assert requests[0].result().status_code == 503
    eventually("it is ended", lambda: replicas(asleep) == 0)
    written = audit.writes(plane.audit_log, OPERATOR, since)
    assert [str(one) for one in written if one.resource in ("deployments", "scaledobjects")] == []


def test_many_held_requests_start_more_pods(asleep: Kubectl, front: RunningProcess) -> None:
    """By the autoscaler that KEDA has made, and KEDA's adapter: more than eight for each pod are too many."""
    requests = held(front, 17)
    eventually("three are wanted", lambda: replicas(asleep) == 3, HELD_SECONDS)
    assert {one.result().status_code for one in requests} == {503}


def test_another_model_starts_a_pod_that_nobody_has_asked_for(asleep: Kubectl) -> None:
    patch(asleep, "speech", {"model": {"name": "tiny"}})
    eventually("a pod is started", lambda: replicas(asleep) == 1)
    start_pods(asleep)
    eventually("it is ended", lambda: replicas(asleep) == 0)


def test_a_suspended_service_has_no_pods_whatever_is_held(speech: Kubectl, front: RunningProcess) -> None:
    patch(speech, "speech", {"suspend": True})
    eventually("there is none", lambda: replicas(speech) == 0)
    eventually("KEDA holds that", lambda: keda.condition(speech, "speech", "Paused").get("status") == "True")
    held(front, 1)[0].result()
    assert replicas(speech) == 0
    patch(speech, "speech", {"suspend": False})
    eventually("there is one again", lambda: replicas(speech) == 1)


def test_a_front_that_cannot_be_asked_is_told(speech: Kubectl) -> None:
    eventually("the service says so", lambda: told(speech) == ("True", "ScaledObjectReady"))
    eventually("there is a pod", lambda: speech.pods_of("speech"))
    start_pods(speech)
    eventually("there is none", lambda: replicas(speech) == 0)
    speech("delete", "endpointslice", "speech-front-metrics")
    eventually("it is told", lambda: told(speech) == ("False", "TriggerError"))
    message = speech.condition("speech", "AutoscalingActive")["message"]
    assert "no endpoints URLs were given for the service name" in message


def test_a_prometheus_that_does_not_answer_is_told(scaled: Kubectl) -> None:
    """With a pod at least KEDA leaves the question to the autoscaler, and its own condition stays True."""
    scaled.apply(service("measured", autoscaling=BY_PROMETHEUS, **EMPTY_DIR))
    eventually("it is told", lambda: told(scaled, "measured")[0] == "False", 120)
