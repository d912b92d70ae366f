"""Jobs are on a claim of their own, which goes only where the spec says so, and costs no write at rest."""

from __future__ import annotations

from typing import Any

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, bind, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

CLAIM = "speech-jobs"


def with_jobs(**storage: Any) -> Manifest:
    return service("speech", **EMPTY_DIR, jobs={"storage": storage} if storage else {})


def claim(namespace: Kubectl) -> Manifest | None:
    """The claim of jobs; None where there is none, or it is on its way out."""
    found = namespace.get("pvc", CLAIM)
    return None if found is None or "deletionTimestamp" in found["metadata"] else found


def volume(namespace: Kubectl) -> Manifest | None:
    """The volume of jobs in the Deployment's pods; None where there is none."""
    found = namespace.get("deployment", "speech") or {"spec": {"template": {"spec": {"volumes": []}}}}
    volumes = found["spec"]["template"]["spec"]["volumes"]
    return next((one for one in volumes if one["name"] == "job-store"), None)


def class_and_size(namespace: Kubectl) -> tuple[str, str] | None:
    spec = (claim(namespace) or {}).get("spec")
    return (spec["storageClassName"], spec["resources"]["requests"]["storage"]) if spec else None


def test_jobs_have_a_claim_that_the_server_mounts_and_that_outlives_the_service(namespace: Kubectl) -> None:
    namespace.apply(with_jobs())
    eventually("the server mounts it", lambda: volume(namespace))
    assert (volume(namespace) or {})["persistentVolumeClaim"] == {"claimName": CLAIM}
    made = claim(namespace) or {}
    assert made["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert "ownerReferences" not in made["metadata"]
    namespace("delete", "wsvc", "speech")
    eventually("its other children are gone", lambda: namespace.get("service", "speech") is None)
    namespace.apply(with_jobs())
    eventually("the next service mounts it", lambda: volume(namespace))
    assert (claim(namespace) or {})["metadata"]["uid"] == made["metadata"]["uid"]
    assert reason(namespace, "speech", "Stalled") == ""


@pytest.mark.parametrize(("retention", "stays"), [("Retain", True), ("Delete", False)])
def test_without_jobs_their_claim_goes_where_the_spec_had_said_so(
    namespace: Kubectl, retention: str, stays: bool
) -> None:
    namespace.apply(with_jobs(retention=retention))
    eventually("the server mounts it", lambda: volume(namespace))
    patch(namespace, "speech", {"jobs": None})
    eventually("the server mounts it no more", lambda: volume(namespace) is None)
    if not stays:
        eventually("the claim goes", lambda: claim(namespace) is None)
    patch(namespace, "speech", {"language": "en"})
    eventually("that is seen", lambda: (namespace.get("wsvc", "speech") or {})["status"]["observedGeneration"] == 3)
    assert (claim(namespace) is not None) is stays


def test_jobs_in_the_pod_are_told_and_no_claim_is_made(namespace: Kubectl) -> None:
    namespace.apply(with_jobs(type="EmptyDir"))
    eventually("it is told", lambda: reason(namespace, "speech", "JobsVolatile") == "JobsInPod")
    eventually("the server has a directory", lambda: volume(namespace))
    assert (volume(namespace) or {})["emptyDir"] == {"sizeLimit": "10Gi"}
    assert namespace.get("pvc", CLAIM) is None
    patch(namespace, "speech", {"jobs": {"storage": {"type": None}}})
    eventually("a claim is made", lambda: claim(namespace))
    eventually("it is told no more", lambda: namespace.condition("speech", "JobsVolatile") == {})


@pytest.mark.parametrize("more", [{"autoscaling": {"minReplicas": 1, "maxReplicas": 2}}, {"replicas": 2}], ids=str)
def test_jobs_and_more_pods_refuse_each_other(namespace: Kubectl, more: dict[str, Any]) -> None:
    namespace.apply(with_jobs())
    with pytest.raises(KubectlError, match=r"spec\.jobs on a volume of one node is for one pod"):
        patch(namespace, "speech", more)
    with pytest.raises(KubectlError, match=r"spec\.jobs on a volume of one node is for one pod"):
        namespace("scale", "wsvc", "speech", "--replicas=2")


@pytest.mark.usefixtures("classes")
def test_a_claim_without_a_volume_follows_the_spec(namespace: Kubectl) -> None:
    namespace.apply(with_jobs(storageClassName="broken", size="100Ti"))
    eventually("the claim is there", lambda: class_and_size(namespace) == ("broken", "100Ti"))
    patch(namespace, "speech", {"jobs": {"storage": {"storageClassName": "other", "size": "20Gi"}}})
    eventually("another one is made", lambda: class_and_size(namespace) == ("other", "20Gi"))
    eventually("nothing is told", lambda: namespace.condition("speech", "JobStorageAsSpecified") == {})


@pytest.mark.usefixtures("classes")
def test_a_claim_with_a_volume_stays_and_the_difference_is_told(namespace: Kubectl) -> None:
    namespace.apply(with_jobs())
    eventually("the claim is there", lambda: claim(namespace))
    bind(namespace, CLAIM)
    before = (claim(namespace) or {})["metadata"]["uid"]
    patch(namespace, "speech", {"jobs": {"storage": {"storageClassName": "other"}}})
    eventually("it is told", lambda: reason(namespace, "speech", "JobStorageAsSpecified") == "StorageClassImmutable")
    patch(namespace, "speech", {"jobs": {"storage": {"storageClassName": None, "size": "20Gi"}}})
    eventually("it is told", lambda: reason(namespace, "speech", "JobStorageAsSpecified") == "CannotGrow")
    assert (claim(namespace) or {})["metadata"]["uid"] == before


@pytest.mark.usefixtures("classes")
@pytest.mark.parametrize(
    ("storage", "why", "says"),
    [
        ({"storageClassName": "gone"}, "StorageClassNotFound", "named in spec.jobs.storage.storageClassName"),
        ({"storageClassName": "nfs"}, "JobStorageUnsafe", "makes network file systems (nfs.csi.k8s.io)"),
        ({"existingClaim": "gone"}, "ClaimNotFound", "named in spec.jobs.storage.existingClaim"),
    ],
)
def test_a_claim_that_cannot_keep_jobs_is_found_before_it_is_made(
    namespace: Kubectl, storage: dict[str, str], why: str, says: str
) -> None:
    namespace.apply(with_jobs(**storage))
    eventually("it is told", lambda: reason(namespace, "speech", "Stalled") == why)
    assert says in namespace.condition("speech", "Stalled")["message"]
    assert (namespace.get("pvc", CLAIM), namespace.get("deployment", "speech")) == (None, None)


def test_a_service_with_jobs_costs_no_write_at_rest(namespace: Kubectl, plane: ControlPlane) -> None:
    namespace.apply(with_jobs(retention="Delete"))
    eventually("the claim is there", lambda: claim(namespace))
    bind(namespace, CLAIM)
    eventually("the server mounts it", lambda: volume(namespace))
    at_rest(plane, namespace)
    since = plane.audit_log.stat().st_size
    for name, kind in (("speech", "wsvc"), (CLAIM, "pvc"), ("speech", "deployment")):
        namespace.annotate(kind, name, touched=1)
    at_rest(plane, namespace)
    written = [one for one in audit.writes(plane.audit_log, OPERATOR, since) if one.namespace == namespace.namespace]
    assert [str(one) for one in written] == []


def at_rest(plane: ControlPlane, namespace: Kubectl) -> None:
    """Returns once the operator has written nothing in the namespace for a while."""
    since, where = plane.audit_log.stat().st_size, namespace.namespace
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=60, quiet=4, namespace=where)
