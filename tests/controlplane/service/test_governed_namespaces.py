"""Namespaces with quotas, limits, policies and injected sidecars, on a real API server: services start there.

No Job controller runs: what it would do, create a Job's pod from its template, the tests do, and the API server's
admission answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.kubelet import end_container, end_job, pod_of
from tests.support.services import EMPTY_DIR, fetch_job, job, patch, port_of, reason, service
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

FETCHED = json.dumps({"model": "base", "reason": "Fetched", "message": "base was fetched"})


def told(namespace: Kubectl, why: str, says: str) -> None:
    eventually(f"{why} is told", lambda: reason(namespace, "speech", "PreflightPassed") == why)
    assert says in namespace.condition("speech", "PreflightPassed")["message"]


def passes(namespace: Kubectl) -> None:
    eventually("it passes", lambda: reason(namespace, "speech", "PreflightPassed") == "ChecksPassed")


def is_admitted(namespace: Kubectl, body: Manifest) -> bool:
    """Whether the API server takes the object; it stores nothing."""
    try:
        namespace("create", "-f", "-", "--dry-run=server", stdin=json.dumps(body))
    except KubectlError:
        return False
    return True


def test_a_quota_on_a_limit_names_the_field_of_each_container(namespace: Kubectl) -> None:
    namespace("create", "quota", "team", "--hard=limits.cpu=8,limits.memory=32Gi,requests.cpu=8")
    eventually("the quota counts", lambda: (namespace.get("quota", "team") or {}).get("status", {}).get("hard"))
    namespace.apply(service("speech", verification={}))
    told(namespace, "QuotaNeedsResources", "set spec.resources.limits.cpu and spec.prefetch.resources.limits.cpu and ")
    assert not is_admitted(namespace, pod_of(fetch_job(namespace)))
    limit = {"resources": {"limits": {"cpu": "1"}}}
    patch(namespace, "speech", {**limit, "prefetch": limit, "verification": limit})
    passes(namespace)
    eventually("its pod is admitted", lambda: is_admitted(namespace, pod_of(fetch_job(namespace))))


@pytest.mark.parametrize(
    ("rule", "says", "mends"),
    [
        ({"max": {"memory": "800Mi"}}, "container fetch of the pod that fetches asks for more memory",
         {"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}}),
        ({"min": {"cpu": "150m"}}, "container fetch of the pod that fetches asks for less cpu",
         {"requests": {"cpu": "200m"}}),
        ({"maxLimitRequestRatio": {"memory": "2"}}, "container fetch of the pod that fetches has a limit of memory too",
         {"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}}),
        ({"default": {"cpu": "50m"}, "defaultRequest": {"cpu": "10m"}}, "gives to containers without one (0.05): set",
         {"limits": {"cpu": "100m"}}),
    ],
    ids=["a maximum", "a minimum", "a ratio", "a default below the request"],
)  # fmt: skip
def test_a_limit_range_names_the_field_that_keeps_it(
    namespace: Kubectl, rule: dict[str, Any], says: str, mends: dict[str, Any]
) -> None:
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team"}}
    namespace.apply(limits | {"spec": {"limits": [{"type": "Container", **rule}]}})
    namespace.apply(service("speech", suspend=True))
    told(namespace, "LimitRangeViolated", says)
    assert not is_admitted(namespace, pod_of(fetch_job(namespace)))
    patch(namespace, "speech", {"prefetch": {"resources": mends}})
    passes(namespace)
    eventually("its pod is admitted", lambda: is_admitted(namespace, pod_of(fetch_job(namespace))))


def policy(name: str) -> tuple[Manifest, Manifest]:
    """Every pod of that namespace carries the label team."""
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    rule = {"expression": "has(object.metadata.labels) && 'team' in object.metadata.labels"}
    spec = {"matchConstraints": {"resourceRules": [pods]}, "validations": [rule]}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": where}
    return (
        {**kind, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**kind, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    )


def test_a_label_that_every_pod_must_carry_reaches_every_pod(namespace: Kubectl) -> None:
    namespace.apply(*policy(namespace.namespace))
    namespace.apply(service("speech"))
    eventually("the policy is in force", lambda: not is_admitted(namespace, pod_of(fetch_job(namespace))))
    patch(namespace, "speech", {"podMetadata": {"labels": {"team": "speech"}}})
    eventually("its pod is admitted", lambda: is_admitted(namespace, pod_of(fetch_job(namespace))))


def test_a_fetch_beside_a_sidecar_that_never_ends_is_done_and_stays_done(namespace: Kubectl) -> None:
    namespace.apply(service("speech", scheduling={"tolerations": [{"operator": "Exists"}]}))
    begun = fetch_job(namespace)
    fetcher = pod_of(begun, {"name": "istio-proxy", "image": "proxy"})
    namespace.apply(fetcher)
    assert namespace.get("deployment", "speech") is None
    end_container(namespace, fetcher["metadata"]["name"], "fetch", FETCHED, beside="istio-proxy")
    eventually("the server is started", lambda: namespace.get("deployment", "speech"))
    eventually("the Job is ended", lambda: fetch_job(namespace)["spec"].get("suspend"))
    namespace("delete", "pod", fetcher["metadata"]["name"], "--now")
    patch(namespace, "speech", {"podMetadata": {"labels": {"team": "a"}}})
    eventually("the spec is followed", lambda: is_labelled(namespace, "team"))
    assert fetch_job(namespace)["metadata"]["uid"] == begun["metadata"]["uid"]
    assert reason(namespace, "speech", "ModelCached") == "Cached"


def test_a_claim_that_a_limit_range_does_not_take_names_the_field(namespace: Kubectl) -> None:
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team"}}
    of_claims = {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}
    namespace.apply(limits | {"spec": {"limits": [of_claims]}})
    eventually("it is in force", lambda: not is_admitted(namespace, claim_of("2Gi")))
    namespace.apply(service("speech"))
    eventually("it is told", lambda: reason(namespace, "speech", "Stalled") == "Rejected")
    message = namespace.condition("speech", "Stalled")["message"]
    assert "maximum storage usage per PersistentVolumeClaim is 1Gi" in message
    assert message.endswith(". The size of the claim is spec.cache.size")
    patch(namespace, "speech", {"cache": {"size": "1Gi"}})
    eventually("the claim is there", lambda: namespace.get("pvc", "speech-models"))


def claim_of(size: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "probe"}, "spec": spec}


NATIVE_SIDECAR = (
    "!has(object.spec.template.spec.initContainers)",
    "[JSONPatch{op: 'add', path: '/spec/template/spec/initContainers', value: ["
    "Object.spec.template.spec.initContainers{name: 'istio-proxy', image: 'proxy', restartPolicy: 'Always'}]}]",
)
TIME_TO_LIVE = (
    "!has(object.spec.ttlSecondsAfterFinished)",
    "[JSONPatch{op: 'add', path: '/spec/ttlSecondsAfterFinished', value: 1}]",
)


def server_dry_run(namespace: Kubectl) -> Manifest:
    """A Job, as the policies of the namespace make it."""
    return json.loads(namespace("create", "job", "probe", "--image=probe", "--dry-run=server", "-o", "json"))["spec"]


def test_a_native_sidecar_that_is_injected_into_a_job_takes_nothing_from_it(
    namespace: Kubectl, policy: Callable[[str, str, str], None]
) -> None:
    """It ends with the Job, whose template nobody can change any more."""
    policy("jobs", *NATIVE_SIDECAR)
    eventually("it is injected", lambda: "initContainers" in server_dry_run(namespace)["template"]["spec"])
    namespace.apply(service("speech"))
    begun = fetch_job(namespace)
    (sidecar,) = begun["spec"]["template"]["spec"]["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    namespace.annotate("wsvc", "speech", touched=1)
    end_job(namespace, begun["metadata"]["name"], "Complete")
    eventually("the server is started", lambda: namespace.get("deployment", "speech"))
    eventually("the model is there", lambda: reason(namespace, "speech", "ModelCached") == "Cached")
    assert fetch_job(namespace)["metadata"]["uid"] == begun["metadata"]["uid"]


def test_a_policy_that_gives_jobs_a_time_to_live_has_no_model_fetched_again(
    namespace: Kubectl, policy: Callable[[str, str, str], None]
) -> None:
    """A Job that is gone is made, and run, again: each second, for ever."""
    policy("jobs", *TIME_TO_LIVE)
    eventually("it is in force", lambda: server_dry_run(namespace).get("ttlSecondsAfterFinished") == 1)
    namespace.apply(service("speech"))
    begun = fetch_job(namespace)
    end_job(namespace, begun["metadata"]["name"], "Complete", seconds_ago=60)
    eventually("the model is there", lambda: reason(namespace, "speech", "ModelCached") == "Cached")
    namespace("create", "job", "ended", "--image=probe")
    end_job(namespace, "ended", "Complete", seconds_ago=60)
    eventually("another's is gone", lambda: namespace.get("job", "ended") is None)
    assert fetch_job(namespace)["metadata"]["uid"] == begun["metadata"]["uid"]


SHORT_LIFE = (
    "!has(object.spec.ttlSecondsAfterFinished) || object.spec.ttlSecondsAfterFinished != 1",
    TIME_TO_LIVE[1],
)


def test_a_policy_that_overwrites_the_time_to_live_of_jobs_has_no_model_fetched_again(
    namespace: Kubectl, plane: ControlPlane, policy: Callable[[str, str, str], None]
) -> None:
    """The Job goes, what it did is known; whoever wants it done again changes the spec."""
    policy("jobs", *SHORT_LIFE)
    eventually("it is in force", lambda: server_dry_run(namespace).get("ttlSecondsAfterFinished") == 1)
    namespace.apply(service("speech"))
    begun = fetch_job(namespace)["metadata"]["name"]
    assert fetch_job(namespace)["spec"]["ttlSecondsAfterFinished"] == 1
    end_job(namespace, begun, "Complete", seconds_ago=60)
    eventually("the Job is gone", lambda: namespace.get("job", begun) is None)
    eventually("the server is started", lambda: namespace.get("deployment", "speech"))
    since = plane.audit_log.stat().st_size
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("the spec is followed", lambda: port_of(namespace) == 8080)
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=60, quiet=4, namespace=namespace.namespace)
    assert [one for one in audit.writes(plane.audit_log, OPERATOR, since) if is_of_jobs(one, namespace)] == []
    assert reason(namespace, "speech", "ModelCached") == "Cached"
    patch(namespace, "speech", {"model": {"name": "tiny"}})
    eventually("another model is fetched", lambda: job(namespace, "speech"))


def is_of_jobs(request: audit.AuditedRequest, namespace: Kubectl) -> bool:
    return (request.resource, request.namespace) == ("jobs", namespace.namespace)


def template(namespace: Kubectl) -> Manifest:
    found = namespace.get("deployment", "speech")
    return found["spec"]["template"] if found else {"metadata": {"labels": {}}, "spec": {}}


def is_labelled(namespace: Kubectl, label: str) -> bool:
    return label in template(namespace)["metadata"]["labels"]


@pytest.mark.parametrize("way", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_a_field_is_removed_by_a_directive_through_every_way_of_applying(namespace: Kubectl, way: list[str]) -> None:
    """`null` does it server-side alone: a client-side apply drops it."""
    context = {"fsGroup": {"$patch": "delete"}, "fsGroupChangePolicy": {"$patch": "delete"}}
    body = service("speech", podTemplate={"spec": {"securityContext": context}}, **EMPTY_DIR)
    namespace("apply", "-f", "-", *way, stdin=json.dumps(body))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    assert "fsGroup" not in template(namespace)["spec"]["securityContext"]


def test_an_account_that_exists_is_used_and_the_operators_own_has_annotations(namespace: Kubectl) -> None:
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/models"}
    namespace.apply(service("speech", serviceAccount={"annotations": role}, **EMPTY_DIR))
    eventually("the server is started", lambda: template(namespace)["spec"])
    own = awaited("its account is there", lambda: namespace.get("serviceaccount", "speech"))
    assert role.items() <= own["metadata"]["annotations"].items()
    patch(namespace, "speech", {"serviceAccount": {"create": False, "name": "models", "annotations": None}})
    told(namespace, "ServiceAccountNotFound", "models, named in spec.serviceAccount.name, does not exist")
    assert namespace.get("serviceaccount", "speech") is not None, "the live pods run as it"
    namespace("create", "serviceaccount", "models")
    eventually(
        "the pods run as it", lambda: template(namespace)["spec"].get("serviceAccountName") == "models", seconds=90
    )
    eventually("the operator's own is gone", lambda: namespace.get("serviceaccount", "speech") is None)


def test_an_affinity_of_the_users_keeps_the_pods_on_the_node_of_the_volume(namespace: Kubectl) -> None:
    once = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared"}, "spec": once}
    on_a100 = {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["A100"]}]}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = {"nodeAffinity": {required: {"nodeSelectorTerms": [on_a100]}}}
    namespace.apply(claim)
    namespace.apply(service("speech", cache={"existingClaim": "shared"}, scheduling={"affinity": affinity}))
    body = fetch_job(namespace)
    fetcher = pod_of(body, {"name": "istio-proxy", "image": "proxy"})
    namespace.apply(fetcher)
    end_container(namespace, fetcher["metadata"]["name"], "fetch", FETCHED, beside="istio-proxy")
    eventually("the server is started", lambda: namespace.get("deployment", "speech"))
    found = template(namespace)["spec"]["affinity"]
    assert found["nodeAffinity"] == affinity["nodeAffinity"]
    assert found["podAffinity"][required][0]["topologyKey"] == "kubernetes.io/hostname"
