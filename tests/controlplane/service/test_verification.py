"""Verification on a real API server: a failure is repeated and, after the first proof, takes no service out of use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.kubelet import SERVER, end_container, end_job, pod_of, start_pods
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_runtime.contract.reports import CheckResult, Performance, VerifyReport

pytestmark = pytest.mark.usefixtures("optional_apis", "running")


@pytest.fixture
def verified(namespace: Kubectl) -> Kubectl:
    """A service whose pods serve, and whose verification has begun."""
    return begun(namespace)


def begun(namespace: Kubectl, **spec: Any) -> Kubectl:
    namespace.apply(service("speech", verification={}, **spec, **EMPTY_DIR))
    eventually("its pod exists", lambda: namespace.list("pods", SERVER))
    start_pods(namespace)
    eventually("it is verified", lambda: newest_job(namespace))
    return namespace


def newest_job(namespace: Kubectl) -> Manifest | None:
    """The verification that is under way; None while none is."""
    jobs = namespace.list("jobs", f"{names.LABEL_COMPONENT}={names.VERIFY}")
    return next((job for job in jobs if not job.get("status", {}).get("conditions")), None)


def end(namespace: Kubectl, *, passed: bool, seconds_ago: float = 0, performance: Performance | None = None) -> str:
    """Ends the verification that is under way, with a report; the name of its Job."""
    job = newest_job(namespace)
    assert job is not None
    checks = (CheckResult(name="transcribes", passed=passed, message="as it was"),)
    report = VerifyReport(checks=checks, requests=1, performance=performance)
    pod = pod_of(job)
    namespace.apply(pod)
    end_container(namespace, pod["metadata"]["name"], "verify", report.to_json())
    end_job(namespace, job["metadata"]["name"], "Complete" if passed else "Failed", seconds_ago=seconds_ago)
    return job["metadata"]["name"]


def test_a_failed_one_blocks_the_first_proof_and_is_repeated_until_it_passes(verified: Kubectl) -> None:
    first = end(verified, passed=False, seconds_ago=50)
    eventually("it failed", lambda: reason(verified, "speech", "Verified") == "VerificationFailed")
    assert verified.condition("speech", "Ready")["status"] == "False"
    eventually("it is repeated after a minute", lambda: newest_job(verified))
    second = end(verified, passed=True)
    eventually("it is ready", lambda: verified.is_carried_out("speech"))
    assert second != first
    assert verified.get("job", first) is None


def test_after_a_proof_a_failed_one_informs_and_is_repeated(verified: Kubectl) -> None:
    end(verified, passed=True)
    eventually("it is ready", lambda: verified.is_carried_out("speech"))
    ready = verified.condition("speech", "Ready")
    patch(verified, "speech", {"logging": {"level": "debug"}})
    eventually("a second pod exists", lambda: len(verified.list("pods", SERVER)) == 2)
    start_pods(verified)
    eventually("the rollout is verified", lambda: newest_job(verified))
    end(verified, passed=False, seconds_ago=50)
    eventually("it failed", lambda: reason(verified, "speech", "Verified") == "VerificationFailed")
    assert "transcribes" in verified.condition("speech", "Verified")["message"]
    assert reason(verified, "speech", "Ready") == "Serving"
    eventually("it is repeated after a minute", lambda: newest_job(verified))
    end(verified, passed=True)
    eventually("it is verified", lambda: reason(verified, "speech", "Verified") == "ChecksPassed")
    assert verified.condition("speech", "Ready")["lastTransitionTime"] == ready["lastTransitionTime"]


def test_one_beside_a_sidecar_that_never_ends_is_done_by_its_report(verified: Kubectl) -> None:
    """As in a mesh of classic sidecars: no Job of such a pod ever completes."""
    job = newest_job(verified)
    assert job is not None
    pod = pod_of(job, {"name": "istio-proxy", "image": "proxy"})
    verified.apply(pod)
    report = VerifyReport(checks=(CheckResult(name="transcribes", passed=True, message=""),), requests=1)
    end_container(verified, pod["metadata"]["name"], "verify", report.to_json(), beside="istio-proxy")
    eventually("it is ready", lambda: verified.is_carried_out("speech"))
    name = job["metadata"]["name"]
    eventually("the Job is ended", lambda: (verified.get("job", name) or {"spec": {}})["spec"].get("suspend"))


def key_of(job: Manifest | None) -> str:
    """The client whose API key the pod of the Job has."""
    assert job is not None
    (volume,) = (one for one in job["spec"]["template"]["spec"]["volumes"] if one["name"] == "api-key")
    (item,) = volume["secret"]["items"]
    return item["key"]


def test_the_key_that_is_reserved_for_it_is_used_and_no_clients(namespace: Kubectl) -> None:
    """A client has its own limits, of which verification takes nothing."""
    namespace("create", "secret", "generic", "keys", "--from-literal=aaa=one", "--from-literal=verification=two")
    begun(namespace, auth={"secretRef": {"name": "keys"}})
    assert key_of(newest_job(namespace)) == "verification"


def test_another_client_begins_no_verification_anew(namespace: Kubectl) -> None:
    namespace("create", "secret", "generic", "keys", "--from-literal=team-b=one")
    begun(namespace, auth={"secretRef": {"name": "keys"}})
    before = newest_job(namespace)
    namespace("patch", "secret", "keys", "--type=merge", "-p", '{"stringData": {"aaa": "two"}}')
    patch(namespace, "speech", {"service": {"labels": {"pass": "another"}}})
    eventually("a pass has seen it", lambda: "pass" in (namespace.get("service", "speech") or {})["metadata"]["labels"])
    eventually("all of it", lambda: (namespace.get("wsvc", "speech") or {})["status"]["observedGeneration"] == 2)
    after = newest_job(namespace)
    assert before is not None
    assert after is not None
    assert (key_of(after), after["metadata"]["uid"]) == ("team-b", before["metadata"]["uid"])


def test_bfloat16_that_slows_a_processor_down_is_told_and_blocks_nothing(namespace: Kubectl) -> None:
    begun(namespace, computeType="bfloat16")
    assert reason(namespace, "speech", "ComputeTypeFast") == "NotMeasured"
    measured = Performance(
        requests=5, concurrency=1, p50_seconds=1, p95_seconds=1, realtime_factor=8, processor="A Xeon (avx512f)",
        bfloat16_speed=0.62,
    )  # fmt: skip
    end(namespace, passed=True, performance=measured)
    eventually("it is ready", lambda: namespace.is_carried_out("speech"))
    told = namespace.condition("speech", "ComputeTypeFast")
    assert (told["status"], told["reason"]) == ("False", "SlowerThanFloat32")
    assert "A Xeon (avx512f) multiplies in bfloat16 at 0.62" in told["message"]
    found = namespace.get("whisperservice", "speech")
    assert found is not None
    assert found["status"]["performance"]["bfloat16Speed"] == 0.62
