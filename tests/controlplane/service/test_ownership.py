"""What is switched off goes, what is renamed moves, what is another's stays, and data outlives its service."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, bind, complete_fetch, fetch_job, fetch_job_after, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CHILD_KINDS, JOB, Kind
from whisper_operator.objects.manifest import annotations_of

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

ALWAYS = {("ServiceAccount", "speech"), ("Service", "speech"), ("Service", "speech-metrics"), ("Deployment", "speech")}
PARTS: dict[str, Any] = {
    "ingress": {"host": "off.example.com"},
    "gateway": {"parentRefs": [{"name": "public"}], "hostnames": ["off.gateway.example.com"]},
    "autoscaling": {"keda": {}},
    "disruption": {"maxUnavailable": 1},
    "networkPolicy": {"allowTo": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
    "monitoring": {"serviceMonitor": {}, "alerts": {}},
}
MINIMAL: dict[str, Any] = {
    "Deployment": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "web", "image": "web"}]},
        },
    },
    "Service": {"ports": [{"port": 1234}]},
    "PersistentVolumeClaim": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    "HorizontalPodAutoscaler": {
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
    },
    "ScaledObject": {
        "scaleTargetRef": {"name": "x"},
        "triggers": [{"type": "cpu", "metadata": {"value": "1"}}],
    },
    "Ingress": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}},
    "NetworkPolicy": {"podSelector": {}},
    "PodDisruptionBudget": {"maxUnavailable": 1},
    "HTTPRoute": {},
    "ServiceMonitor": {"selector": {}, "endpoints": [{"port": "web"}]},
    "PrometheusRule": {"groups": []},
}
"""Somebody else's object of each kind."""


def plurals(kinds: Sequence[Kind]) -> str:
    return ",".join(f"{kind.plural}.{kind.group}" if kind.group else kind.plural for kind in kinds)


def children(namespace: Kubectl, name: str) -> set[tuple[str, str]]:
    found = namespace.list(plurals(CHILD_KINDS), f"whisper-operator.io/service={name}")
    return {(one["kind"], one["metadata"]["name"]) for one in found}


def test_everything_that_is_switched_off_is_removed(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, **PARTS))
    kinds = {kind.kind for kind in CHILD_KINDS} - {"PersistentVolumeClaim", "Job", "HorizontalPodAutoscaler"}
    eventually("all parts are there", lambda: {kind for kind, _ in children(namespace, "speech")} == kinds)
    patch(namespace, "speech", dict.fromkeys(PARTS))
    eventually("the rest is gone", lambda: children(namespace, "speech") == ALWAYS)


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ("ingress", "gateway", "Ingress", "HTTPRoute"),
        ("gateway", "ingress", "HTTPRoute", "Ingress"),
    ],
)
def test_a_way_in_moves(namespace: Kubectl, before: str, after: str, old: str, new: str) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, **{before: PARTS[before]}))
    eventually(f"the {old} is there", lambda: (old, "speech") in children(namespace, "speech"))
    patch(namespace, "speech", {before: None, after: PARTS[after]})
    eventually("it has moved", lambda: children(namespace, "speech") == ALWAYS | {(new, "speech")})


def test_a_claim_of_the_users_own_takes_over_and_ours_stays(namespace: Kubectl) -> None:
    """Given a service that serves from its own claim, when it is given another one, the model is fetched into that."""
    claim = foreign("PersistentVolumeClaim", "shared")
    namespace.apply(claim, service("speech"))
    first = fetch_job(namespace)
    patch(namespace, "speech", {"cache": {"existingClaim": "shared"}})
    volumes = fetch_job_after(namespace, first)["spec"]["template"]["spec"]["volumes"]
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "shared"}} in volumes
    assert namespace.get("pvc", "speech-models") is not None


def foreign(kind: str, name: str) -> Manifest:
    of = next(one for one in CHILD_KINDS if one.kind == kind)
    body: Manifest = {"apiVersion": of.api_version, "kind": kind, "metadata": {"name": name}}
    return body | ({"spec": MINIMAL[kind]} if kind in MINIMAL else {})


TAKEN = [
    *((kind.kind, "") for kind in CHILD_KINDS if kind.kind not in (JOB.kind, "PersistentVolumeClaim")),
    ("PersistentVolumeClaim", "-models"),
    ("PersistentVolumeClaim", "-jobs"),
    ("Service", "-metrics"),
]
"""Every kind, with what its name has beyond the service's; a Job's holds a hash of what nobody can know before."""


def test_what_is_anothers_is_told_and_not_touched_and_taken_up_when_it_goes(namespace: Kubectl) -> None:
    asked = {f"{kind.lower()}{suffix.strip('-')}": (kind, suffix) for kind, suffix in TAKEN}
    children = {name: (kind, name + suffix) for name, (kind, suffix) in asked.items()}
    namespace.apply(*(foreign(kind, child) for kind, child in children.values()))
    before = {name: namespace.get(*child) for name, child in children.items()}
    namespace.apply(*(service(name, **asking_for(kind, name)) for name, (kind, _) in asked.items()))
    for name, (kind, child) in children.items():
        eventually(f"{kind} is told", lambda name=name: reason(namespace, name, "Stalled") == "NotOwned")
        assert f"{kind}/{child}" in namespace.condition(name, "Stalled")["message"]
        assert owned_fields(namespace.get(kind, child)) == owned_fields(before[name]), kind
    for kind, child in children.values():
        namespace("delete", kind, child, "--wait=false")
    for name, child in children.items():
        eventually(f"{child} is ours", lambda child=child: is_owned(namespace.get(*child)), seconds=120)
        eventually(f"{child} is no longer told", lambda name=name: reason(namespace, name, "Stalled") != "NotOwned")


def asking_for(kind: str, name: str) -> dict[str, Any]:
    """A spec that wants a child of that kind; no two want the same host."""
    gateway = {"parentRefs": [{"name": "public"}], "hostnames": [f"{name}.gateway.example.com"]}
    hosts = {"ingress": {"host": f"{name}.example.com"}, "gateway": gateway}
    match kind:
        case "PersistentVolumeClaim":
            return {"jobs": {"storage": {"retention": "Delete"}}} if name.endswith("jobs") else {}
        case "HorizontalPodAutoscaler":
            return {**EMPTY_DIR, "autoscaling": {}}
        case _:
            return {**EMPTY_DIR, **PARTS, **hosts}


def owned_fields(body: Manifest | None) -> Any:
    """What a writer would have changed."""
    assert body is not None
    return body["metadata"].get("labels"), body["metadata"].get("ownerReferences"), body.get("spec")


def is_owned(body: Manifest | None) -> bool:
    return body is not None and any(
        ref["kind"] == "WhisperService" for ref in body["metadata"].get("ownerReferences", ())
    )


def test_what_a_claim_cannot_become_is_reported(namespace: Kubectl) -> None:
    namespace.apply(service("speech", cache={"accessMode": "ReadWriteOnce"}))
    eventually("the claim is there", lambda: namespace.get("pvc", "speech-models"))
    bind(namespace, "speech-models")
    patch(namespace, "speech", {"cache": {"accessMode": "ReadWriteMany"}})
    eventually("it is told", lambda: reason(namespace, "speech", "CacheAsSpecified") == "AccessModeTooNarrow")
    patch(namespace, "speech", {"cache": {"accessMode": None, "storageClassName": "faster"}})
    eventually("it is told", lambda: reason(namespace, "speech", "CacheAsSpecified") == "StorageClassImmutable")
    patch(namespace, "speech", {"cache": {"storageClassName": None}})
    eventually("it is as specified", lambda: namespace.condition("speech", "CacheAsSpecified") == {})


def test_a_fetch_that_is_under_way_is_replaced_by_what_is_wanted_now(namespace: Kubectl) -> None:
    namespace.apply(service("speech"))
    first = fetch_job(namespace)
    patch(namespace, "speech", {"image": {"repository": "mirror.example.com/runtime", "tag": "2"}})
    (container,) = fetch_job_after(namespace, first)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "mirror.example.com/runtime:2"
    complete_fetch(namespace, "speech")
    eventually("the Deployment follows", lambda: namespace.get("deployment", "speech"))


def test_a_retained_claim_outlives_its_service_and_serves_the_next(namespace: Kubectl) -> None:
    namespace.apply(service("speech", cache={"retention": "Retain"}))
    fetch_job(namespace)
    claim = namespace.get("pvc", "speech-models") or {}
    namespace("delete", "wsvc", "speech")
    eventually("its other children are gone", lambda: namespace.get("service", "speech") is None)
    namespace.apply(service("speech", cache={"retention": "Retain"}))
    fetch_job(namespace)
    adopted = namespace.get("pvc", "speech-models") or {}
    assert adopted["metadata"]["uid"] == claim["metadata"]["uid"]
    assert reason(namespace, "speech", "Stalled") == ""


def test_the_claim_of_a_live_service_may_change_hands(namespace: Kubectl) -> None:
    namespace.apply(service("speech"))
    eventually("the claim goes with it", lambda: is_owned(namespace.get("pvc", "speech-models")))
    patch(namespace, "speech", {"cache": {"retention": "Retain"}})
    eventually("the claim stays", lambda: not is_owned(namespace.get("pvc", "speech-models")))
    patch(namespace, "speech", {"cache": {"retention": "Delete"}})
    eventually("the claim goes again", lambda: is_owned(namespace.get("pvc", "speech-models")))
    namespace("delete", "wsvc", "speech")
    eventually(
        "the claim is on its way",
        lambda: (
            "deletionTimestamp"
            in (namespace.get("pvc", "speech-models") or {"metadata": {"deletionTimestamp": 0}})["metadata"]
        ),
    )


def test_of_two_services_that_want_one_name_one_has_it_and_the_other_says_so(namespace: Kubectl) -> None:
    namespace.apply(service("a", **EMPTY_DIR))
    eventually("the first is there", lambda: namespace.get("service", "a-metrics"))
    namespace.apply(service("a-metrics", **EMPTY_DIR))
    eventually("the second is told", lambda: reason(namespace, "a-metrics", "Stalled") == "NotOwned")
    assert "Service/a-metrics" in namespace.condition("a-metrics", "Stalled")["message"]
    owner = (namespace.get("service", "a-metrics") or {})["metadata"]["ownerReferences"][0]["name"]
    assert owner == "a"
    assert reason(namespace, "a", "Stalled") == ""


def test_the_longest_name_has_all_its_children(namespace: Kubectl) -> None:
    name = "a" * 40
    namespace.apply(service(name, **PARTS | {"ingress": {"host": "long.example.com"}}))
    complete_fetch(namespace, name)
    kinds = {kind.kind for kind in CHILD_KINDS} - {"HorizontalPodAutoscaler"}
    eventually("all are there", lambda: {kind for kind, _ in children(namespace, name)} == kinds)


def test_a_service_goes_whether_the_operator_is_there_or_not(namespace: Kubectl, running: OperatorProcess) -> None:
    namespace.apply(service("up", **EMPTY_DIR), service("down", **EMPTY_DIR))
    for name in ("up", "down"):
        eventually(f"{name} is there", lambda name=name: namespace.get("deployment", name))
    namespace("delete", "wsvc", "up")
    eventually("its children are gone", lambda: children(namespace, "up") == set())
    running.stop()
    namespace("delete", "wsvc", "down", "--timeout=10s")
    eventually("its children are gone", lambda: children(namespace, "down") == set())
    running.start()
    namespace.apply(service("down", **EMPTY_DIR))
    eventually("the next of that name is served", lambda: namespace.get("deployment", "down"))


def test_a_service_that_is_deleted_without_its_children_and_made_anew_has_them_again(namespace: Kubectl) -> None:
    """And no pod restarts; what the new one does not want, goes."""
    kinds = ("deployment", "service", "serviceaccount", "pdb")
    namespace.apply(service("speech", **EMPTY_DIR, disruption={"maxUnavailable": 1}, autoscaling={}))
    for kind in (*kinds, "hpa"):
        eventually(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))
    before = [uid_of(namespace, kind) for kind in kinds]
    namespace("delete", "wsvc", "speech", "--cascade=orphan")
    eventually("they are let go", lambda: not any(is_owned(namespace.get(kind, "speech")) for kind in kinds))
    namespace.apply(service("speech", **EMPTY_DIR, disruption={"maxUnavailable": 1}))
    eventually("they are its own", lambda: all(is_owned(namespace.get(kind, "speech")) for kind in kinds))
    eventually("the autoscaler is gone", lambda: namespace.get("hpa", "speech") is None)
    assert [uid_of(namespace, kind) for kind in kinds] == before


def uid_of(namespace: Kubectl, kind: str) -> str:
    return (namespace.get(kind, "speech") or {})["metadata"]["uid"]


def pods_of(namespace: Kubectl, selector: dict[str, str] | str) -> set[str]:
    text = selector if isinstance(selector, str) else ",".join(f"{name}={value}" for name, value in selector.items())
    return {pod["metadata"]["name"] for pod in namespace.list("pods", text)}


def test_another_charts_pods_are_nobodys_business(namespace: Kubectl) -> None:
    """Given a chart "whisper" that was released as "speech", with the labels of Helm's convention."""
    convention = {f"app.kubernetes.io/{key}": value for key, value in HELM.items()}
    container = {"name": "web", "image": "web"}
    pods = {"theirs": convention, "ours": convention | {"whisper-operator.io/service": "speech"}}
    pod: Manifest = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
    namespace.apply(*({**pod, "metadata": {"name": name, "labels": labels}} for name, labels in pods.items()))
    namespace.apply(service("speech", **EMPTY_DIR, **PARTS))
    eventually("its status tells its pods", lambda: (namespace.get("wsvc", "speech") or {})["status"].get("selector"))
    eventually("the budget is there", lambda: namespace.get("pdb", "speech"))
    specs = {kind: (namespace.get(kind, "speech") or {})["spec"] for kind in ("service", "deployment", "pdb", "netpol")}
    selectors = [
        specs["service"]["selector"],
        (namespace.get("service", "speech-metrics") or {})["spec"]["selector"],
        specs["deployment"]["selector"]["matchLabels"],
        specs["pdb"]["selector"]["matchLabels"],
        specs["netpol"]["podSelector"]["matchLabels"],
        (namespace.get("wsvc", "speech") or {})["status"]["selector"],
    ]
    assert [pods_of(namespace, one) & pods.keys() for one in selectors] == [{"ours"}] * len(selectors)


HELM = {"name": "whisper", "instance": "speech", "component": "server", "managed-by": "Helm"}


def test_a_deployment_of_the_first_release_keeps_its_selector_and_its_pods(
    namespace: Kubectl, running: OperatorProcess
) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, disruption={"maxUnavailable": 1}))
    eventually("the image is on record", lambda: (namespace.get("wsvc", "speech") or {})["status"].get("image"))
    running.stop()
    body = namespace.get("deployment", "speech") or {}
    namespace("delete", "deployment", "speech")
    namespace("apply", "--server-side", "--field-manager=whisper-operator", "-f", "-", stdin=json.dumps(as_first(body)))
    eventually("its pods are asked for", lambda: len(namespace.list("replicasets")) == 1)
    running.start()
    eventually("it is ours again", lambda: annotation(namespace.get("deployment", "speech")) not in (None, "x"))
    found = namespace.get("deployment", "speech") or {}
    assert found["spec"]["selector"]["matchLabels"] == names.first_selector("speech")
    assert len(namespace.list("replicasets")) == 1, "no new pods"
    assert (namespace.get("pdb", "speech") or {})["spec"]["selector"]["matchLabels"] == names.selector("speech")
    patch(namespace, "speech", {"language": "en"})
    eventually("a change makes new pods", lambda: len(namespace.list("replicasets")) == 2)
    template = (namespace.get("deployment", "speech") or {})["spec"]["template"]
    assert EVICTABLE in template["metadata"]["annotations"], "with what an upgrade restarts no pod for"


def test_a_deployment_that_was_made_anew_with_another_selector_is_told_with_its_remedy(
    namespace: Kubectl, running: OperatorProcess
) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    running.stop()
    body = namespace.get("deployment", "speech") or {}
    for name in ("uid", "resourceVersion", "generation", "creationTimestamp"):
        del body["metadata"][name]
    body["spec"]["selector"]["matchLabels"] = {"theirs": "x"}
    body["spec"]["template"]["metadata"]["labels"]["theirs"] = "x"
    namespace("delete", "deployment", "speech")
    namespace("create", "-f", "-", stdin=json.dumps(body))
    running.start()
    eventually("it is told", lambda: reason(namespace, "speech", "RolledOut") == "Rejected")
    assert "delete it, and the operator makes it as it was" in namespace.condition("speech", "Stalled")["message"]
    namespace("delete", "deployment", "speech", "--wait=false")
    eventually("it is as it was", lambda: selector_of(namespace) == names.selector("speech"))


def test_a_service_that_was_made_anew_without_an_address_has_one_again(
    namespace: Kubectl, running: OperatorProcess
) -> None:
    """As from a dump of ours with `clusterIP: None`, which nobody can change: clients would need the pods' own port."""
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Service is there", lambda: namespace.get("service", "speech"))
    running.stop()
    body = namespace.get("service", "speech") or {}
    kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
    body["metadata"] = {name: body["metadata"][name] for name in kept}
    body["spec"] = {name: body["spec"][name] for name in ("selector", "ports")} | {"clusterIP": "None"}
    namespace("replace", "--force", "-f", "-", stdin=json.dumps(body))
    running.start()
    eventually("it has an address", lambda: cluster_ip(namespace) not in ("", "None"))
    assert reason(namespace, "speech", "Stalled") == ""


def cluster_ip(namespace: Kubectl) -> str:
    return (namespace.get("service", "speech") or {}).get("spec", {}).get("clusterIP", "")


def selector_of(namespace: Kubectl) -> Manifest:
    body = namespace.get("deployment", "speech")
    return body["spec"]["selector"]["matchLabels"] if body else {}


EVICTABLE = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"


def as_first(body: Manifest) -> Manifest:
    """That Deployment as 0.1.0 made it."""
    template = body["spec"]["template"]
    template["metadata"]["annotations"].pop(EVICTABLE)
    metadata = {key: body["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")}
    spec = {**body["spec"], "selector": {"matchLabels": names.first_selector("speech")}, "template": template}
    about = {key: body[key] for key in ("apiVersion", "kind")}
    return {**about, "metadata": {**metadata, "annotations": {"whisper-operator.io/applied": "x"}}, "spec": spec}


def annotation(body: Manifest | None) -> str | None:
    return annotations_of(body).get("whisper-operator.io/applied") if body else None
