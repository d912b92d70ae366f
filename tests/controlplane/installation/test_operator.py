"""The operator on a real API server: children appear, drift is repaired, nothing is written at rest.

There is no node here, so a fetching Job is declared complete by the test itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from kubernetes import client
from prometheus_client import REGISTRY

from testbed import audit
from testbed.cluster.controlplane import ControlPlane, free_ports
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import complete_fetch, job, service
from tests.support.waiting import eventually_async
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.lease import Lease
from whisper_operator.observe.policy import Policy
from whisper_operator.process.operator import Operator
from whisper_operator.process.settings import Settings

QUIET_SECONDS = 1.0


@pytest.fixture
async def operator(namespace: Kubectl, configuration: client.Configuration) -> AsyncIterator[asyncio.Task[None]]:
    """The operator's whole process in a task, reconciling the test's namespace alone."""
    metrics_port, health_port = free_ports(2)
    settings = Settings(
        runtime_image="runtime:1",
        namespace=namespace.namespace,
        identity="test",
        watch_namespaces=(namespace.namespace,),
        host="127.0.0.1",
        metrics_port=metrics_port,
        health_port=health_port,
        policy=Policy(exempt_namespaces=("*",)),
    )
    unguarded = Cluster(configuration)
    lease = Lease(unguarded, namespace.namespace, "whisper-operator", "test")
    cluster = Cluster(configuration, before_write=lease.check)
    task = asyncio.create_task(Operator(settings, cluster, lease).run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await cluster.close()
    await unguarded.close()


async def test_children_appear_as_the_model_does(operator: asyncio.Task[None], namespace: Kubectl) -> None:
    namespace.apply(service("speech", ingress={"host": "speech.example.com"}))
    await eventually_async("the fetch is asked for", lambda: job(namespace, "speech"))
    for kind, name in (
        ("service", "speech"),
        ("service", "speech-metrics"),
        ("serviceaccount", "speech"),
        ("ingress", "speech"),
        ("pvc", "speech-models"),
    ):
        assert namespace.get(kind, name), name
    assert namespace.get("deployment", "speech") is None
    await eventually_async(
        "it is judged", lambda: namespace.condition("speech", "ModelCached").get("status") == "False"
    )

    complete_fetch(namespace, "speech")
    await eventually_async("the Deployment follows", lambda: namespace.get("deployment", "speech"))
    owner = namespace.get("deployment", "speech")["metadata"]["ownerReferences"][0]  # type: ignore[index]
    assert (owner["kind"], owner["controller"]) == ("WhisperService", True)


async def test_a_deleted_child_is_back_and_a_switched_off_one_is_gone(
    operator: asyncio.Task[None], namespace: Kubectl
) -> None:
    namespace.apply(service("speech", ingress={}, cache={"type": "EmptyDir"}))
    await eventually_async("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    namespace("delete", "deployment,service,ingress", "-l", "whisper-operator.io/service=speech", "--wait=false")
    for kind in ("deployment", "service", "ingress"):
        await eventually_async(f"the {kind} is back", lambda kind=kind: namespace.get(kind, "speech"))
    namespace("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"ingress": null}}')
    await eventually_async("the Ingress is gone", lambda: namespace.get("ingress", "speech") is None)


async def test_passes_without_a_change_of_spec_write_nothing(
    operator: asyncio.Task[None], namespace: Kubectl, plane: ControlPlane
) -> None:
    names = [f"s{number}" for number in range(3)]
    namespace.apply(
        *(
            service(
                name,
                suspend=True,
                ingress={"host": f"{name}.example.com"},
                autoscaling={},
                resources={"requests": {"memory": "1024Mi", "cpu": "0.5"}},
            )
            for name in names
        )
    )
    await eventually_async(
        "all are Ready", lambda: all(namespace.condition(name, "Ready").get("status") == "True" for name in names)
    )
    await at_rest(plane, namespace)
    since, passes = plane.audit_log.stat().st_size, metric("controller_runtime_reconcile_total")
    namespace("annotate", "wsvc", "--all", "example.com/touched=1")
    await eventually_async(
        "every service has been reconciled",
        lambda: metric("controller_runtime_reconcile_total") - passes >= len(names),
    )
    await at_rest(plane, namespace)
    assert writes(plane, namespace, since) == [f"patch whisperservices/{namespace.namespace}/{name}" for name in names]


async def at_rest(plane: ControlPlane, namespace: Kubectl) -> None:
    """Returns once no key waits or is in work, and nothing was written for QUIET_SECONDS."""
    since, quiet_since = plane.audit_log.stat().st_size, time.monotonic()

    def is_quiet() -> bool:
        nonlocal since, quiet_since
        is_busy = metric("workqueue_depth") > 0 or metric("workqueue_unfinished_work_seconds") > 0
        if is_busy or writes(plane, namespace, since):
            since, quiet_since = plane.audit_log.stat().st_size, time.monotonic()
        return time.monotonic() - quiet_since > QUIET_SECONDS

    await eventually_async("the operator is at rest", is_quiet)


def metric(name: str) -> float:
    """The sum of the metric's samples, in this very process."""
    return sum(one.value for family in REGISTRY.collect() for one in family.samples if one.name == name)


def writes(plane: ControlPlane, namespace: Kubectl, since: int) -> list[str]:
    """Write requests in the namespace after byte `since` of the audit log; the operator is `admin` here."""
    written = audit.writes(plane.audit_log, "admin", since)
    return [str(one) for one in written if one.namespace == namespace.namespace]


async def test_the_autoscaler_keeps_the_number(operator: asyncio.Task[None], namespace: Kubectl) -> None:
    """Given three replicas, when autoscaling is switched on, then there is no moment with another number."""
    namespace.apply(service("speech", replicas=3, cache={"type": "EmptyDir"}))
    await eventually_async("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    namespace("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"autoscaling": {}}}')
    await eventually_async("the HPA is there", lambda: namespace.get("hpa", "speech"))
    found = namespace.get_with_managers("deployment", "speech")
    assert found["spec"]["replicas"] == 3
    owners = {
        entry["manager"]
        for entry in found["metadata"]["managedFields"]
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
    }
    assert owners == {"whisper-operator-handover"}


async def test_what_others_own_is_left_alone(operator: asyncio.Task[None], namespace: Kubectl) -> None:
    namespace("create", "service", "clusterip", "speech", "--tcp=1234")
    namespace.apply(service("speech", cache={"type": "EmptyDir"}))
    await eventually_async(
        "it is reported", lambda: namespace.condition("speech", "Stalled").get("reason") == "NotOwned"
    )
    assert "Service/speech" in namespace.condition("speech", "Stalled")["message"]
    assert namespace.get("service", "speech")["spec"]["ports"][0]["port"] == 1234  # type: ignore[index]


async def test_a_missing_secret_is_named_and_found_later(operator: asyncio.Task[None], namespace: Kubectl) -> None:
    namespace.apply(service("speech", auth={"secretRef": {"name": "keys"}}, cache={"type": "EmptyDir"}))
    await eventually_async(
        "it is Stalled", lambda: namespace.condition("speech", "Stalled").get("reason") == "SecretNotFound"
    )
    assert namespace.get("deployment", "speech") is None
    namespace("create", "secret", "generic", "keys", "--from-literal=team-a=open-sesame")
    await eventually_async("the Deployment follows", lambda: namespace.get("deployment", "speech"))
    await eventually_async("it is no longer Stalled", lambda: namespace.condition("speech", "Stalled") == {})
    assert namespace.condition("speech", "PreflightPassed")["status"] == "True"


async def test_what_the_api_server_refuses_is_told(operator: asyncio.Task[None], namespace: Kubectl) -> None:
    affinity = {"nodeAffinity": {"misspelt": []}}
    namespace.apply(service("speech", cache={"type": "EmptyDir"}, scheduling={"affinity": affinity}))
    await eventually_async(
        "it is Stalled", lambda: namespace.condition("speech", "Stalled").get("reason") == "Rejected"
    )
    assert "misspelt" in namespace.condition("speech", "Stalled")["message"]


async def test_what_the_api_server_refuses_without_a_field_is_told_with_one(
    operator: asyncio.Task[None], namespace: Kubectl
) -> None:
    template = {"spec": {"containers": [{"name": "server", "resources": {"limits": {"cpu": "much"}}}]}}
    namespace.apply(service("speech", cache={"type": "EmptyDir"}, podTemplate=template))
    await eventually_async(
        "it is Stalled", lambda: namespace.condition("speech", "Stalled").get("reason") == "Rejected"
    )
    assert "spec.podTemplate" in namespace.condition("speech", "Stalled")["message"]


async def test_an_operator_that_no_longer_leads_ends(operator: asyncio.Task[None], namespace: Kubectl) -> None:
    await eventually_async("it leads", lambda: namespace.get("lease", "whisper-operator"))

    def take_over() -> bool:
        try:
            namespace(
                "patch", "lease", "whisper-operator", "--type=merge", "-p", '{"spec": {"holderIdentity": "another"}}'
            )
        except KubectlError:
            return False
        return operator.done()

    await eventually_async("it ends", take_over)
    assert "LeaseLost" in repr(operator.exception())
