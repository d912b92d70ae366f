"""The verification of a rollout: one Job for each, and what the service says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.objects import NOW, children, deployment, live, observed, one, pod, resolved, service
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.reconcile.events import transitions
from whisper_operator.status.assemble import as_json, observed_status

BAKED = {"cache": {"type": "Image"}}
ON = service(verification={}, **BAKED)
CHECKS = [{"name": "transcribes", "passed": True, "message": "0 % of the words wrong"}]
PERFORMANCE = {
    "requests": 5,
    "concurrency": 1,
    "p50_seconds": 0.4,
    "p95_seconds": 0.5,
    "realtime_factor": 7.5,
    "load_seconds": 2.5,
}


def rolled_out(of: WhisperService, revision: int = 1, **status: Any) -> Manifest:
    body = deployment(of, **status)
    annotations = {**body["metadata"]["annotations"], "deployment.kubernetes.io/revision": str(revision)}
    return {**body, "metadata": {**body["metadata"], "annotations": annotations}}


def jobs(of: WhisperService, *there: Manifest, **facts: Any) -> list[Manifest]:
    return [body for body in children(of, observed(*there, **facts)) if body["kind"] == "Job"]


def verifying(of: WhisperService, deployed: Manifest, condition: str = "") -> Manifest:
    wanted = one(jobs(of, deployed), "Job", resolved(of, observed(deployed)).verification.job_name or "")
    return live(wanted, status={"conditions": [{"type": condition, "status": "True"}] if condition else []})


def reporting(checks: list[dict[str, Any]], performance: dict[str, Any] = PERFORMANCE) -> Manifest:
    report = {"checks": checks, "performance": performance, "requests": 17}
    return pod("verify", containerStatuses=[{"state": {"terminated": {"message": json.dumps(report)}}}])


def told(of: WhisperService, *there: Manifest) -> Status:
    return observed_status(resolved(of, observed(*there)), (), NOW)


def conditions(found: Status) -> dict[str, tuple[str, str]]:
    return {each.type: (each.status, each.reason) for each in found.conditions}


def test_it_waits_until_all_pods_are_available() -> None:
    assert jobs(ON, rolled_out(ON, availableReplicas=0)) == []
    assert len(jobs(ON, rolled_out(ON))) == 1


@pytest.mark.parametrize("spec", [{}, {"verification": {"enabled": False}}])
def test_it_is_off_where_the_spec_has_none(spec: dict[str, Any]) -> None:
    off = service(**spec, **BAKED)
    assert jobs(off, rolled_out(off)) == []
    assert "Verified" not in conditions(told(off, rolled_out(off)))


def test_each_rollout_has_one_of_its_own() -> None:
    first, second = (verifying(ON, rolled_out(ON, revision))["metadata"]["name"] for revision in (1, 2))
    assert first != second
    assert first.startswith("speech-verify-")


def test_what_has_begun_goes_on_while_a_pod_is_replaced() -> None:
    begun = verifying(ON, rolled_out(ON))
    assert len(jobs(ON, rolled_out(ON, availableReplicas=0), begun)) == 1


def test_it_asks_the_services_as_clients_do_and_takes_one_key() -> None:
    guarded = service(verification={}, auth={"secretRef": {"name": "keys"}}, service={"port": 8080}, **BAKED)
    keys = {"keys": frozenset({"team-b", "team-a"})}
    spec = jobs(guarded, rolled_out(guarded), secrets=keys)[0]["spec"]["template"]["spec"]
    assert spec["containers"][0]["args"] == [
        "verify",
        "--json",
        "--url=http://speech.team.svc:8080",
        "--metrics-url=http://speech-metrics.team.svc:9000",
        "--api-key-file=/etc/whisper/verify/api-key",
    ]
    assert spec["volumes"][1]["secret"]["items"] == [{"key": "team-a", "path": "api-key"}]
    assert spec["restartPolicy"] == "Never"


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [({"networkPolicy": {}}, "true"), ({"networkPolicy": {"allowTo": [{}]}}, None), ({}, None)],
    ids=["shut in", "let out", "no policy"],
)
def test_pods_that_may_reach_nothing_have_to_prove_it(policy: dict[str, Any], wanted: str | None) -> None:
    of = service(verification={}, **policy, **BAKED)
    container = jobs(of, rolled_out(of))[0]["spec"]["template"]["spec"]["containers"][0]
    told = {variable["name"]: variable["value"] for variable in container["env"]}
    assert told.get("WHISPER_NO_EGRESS") == wanted


def test_the_users_own_clip_is_heard_by_the_gate_and_by_the_verification() -> None:
    own = {"audio": {"configMapKeyRef": {"name": "clips", "key": "hello.wav"}}, "expect": {"text": "Hello there."}}
    wanted = service(verification=own, **BAKED)
    deployed = rolled_out(wanted)
    for template in (deployed["spec"]["template"], jobs(wanted, deployed)[0]["spec"]["template"]):
        assert template["metadata"]["annotations"]["whisper-operator.io/golden-text"] == "Hello there."
        env = {variable["name"]: variable["value"] for variable in template["spec"]["containers"][0]["env"]}
        assert env["WHISPER_GOLDEN_DIR"] == "/etc/whisper/golden"
        assert env["WHISPER_GOLDEN_MAX_WORD_ERROR_RATE"] == "0.1"
        golden = next(volume for volume in template["spec"]["volumes"] if volume["name"] == "golden")
        assert golden["projected"]["sources"][0]["configMap"]["items"] == [{"key": "hello.wav", "path": "clip.wav"}]


def test_a_first_service_is_ready_once_it_is_verified() -> None:
    deployed = rolled_out(ON)
    assert conditions(told(ON, deployed))["Ready"] == ("False", "Verifying")
    found = told(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert conditions(found)["Verified"] == ("True", "ChecksPassed")
    assert found.verification is not None
    assert found.performance is not None
    assert (found.verification.passed, found.verification.generation) == (True, 2)
    assert found.verification.checks[0].message == "0 % of the words wrong"
    assert found.performance.model_dump() == {
        "load_seconds": 2.5, "realtime_factor": 7.5, "p95_seconds": 0.5, "device": "cpu", "compute_type": "float32",
        "memory_bytes": None,
    }  # fmt: skip


def test_what_a_pod_tells_of_its_device_is_believed_before_the_spec() -> None:
    deployed = rolled_out(ON)
    measured = {**PERFORMANCE, "device": "NVIDIA H100", "compute_type": "float16", "memory_bytes": 3_000_000_000}
    found = told(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS, measured)).performance
    assert found is not None
    assert (found.device, found.compute_type, found.memory_bytes) == ("NVIDIA H100", "float16", 3_000_000_000)


def test_what_fails_is_named_and_waits_for_the_user() -> None:
    deployed = rolled_out(ON)
    wrong = [*CHECKS, {"name": "refuses without a key", "passed": False, "message": "answered 200"}]
    found = told(ON, deployed, verifying(ON, deployed, "Failed"), reporting(wrong))
    assert conditions(found)["Stalled"] == ("True", "VerificationFailed")
    assert "refuses without a key: answered 200. Delete Job speech-verify-" in found.conditions[0].message
    assert found.verification is not None
    assert found.verification.passed is False


def test_a_later_rollout_is_verified_while_the_service_stays_ready() -> None:
    deployed = rolled_out(ON)
    before = told(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    later = service(verification={}, status=as_json(before), **BAKED)
    found = told(later, rolled_out(later, revision=2))
    assert conditions(found)["Ready"] == ("True", "Verifying")
    assert conditions(found)["Reconciling"] == ("True", "Verifying")
    assert found.verification == before.verification


@pytest.mark.parametrize("passed", [True, False])
def test_what_a_pod_reports_counts_when_its_job_has_ended(passed: bool) -> None:
    """Given a first rollout whose pod has ended: the Job may send another one, and the service was never ready."""
    deployed = rolled_out(ON)
    of, there = ON, (deployed, verifying(ON, deployed), reporting([{**CHECKS[0], "passed": passed}]))
    for _ in range(2):
        found = told(of, *there)
        assert conditions(found)["Ready"] == ("False", "Verifying")
        assert found.verification is None
        of = service(verification={}, status=as_json(found), **BAKED)


def test_a_service_that_failed_is_not_ready_while_it_is_verified_again() -> None:
    """Given the failed Job deleted by hand, and a rollout that is to mend it."""
    deployed = rolled_out(ON)
    wrong = [{**CHECKS[0], "passed": False}]
    failed = told(ON, deployed, verifying(ON, deployed, "Failed"), reporting(wrong))
    again = service(verification={}, status=as_json(failed), **BAKED)
    for revision in (1, 2):
        assert conditions(told(again, rolled_out(again, revision)))["Ready"] == ("False", "Verifying")


def test_the_generation_is_the_one_that_was_verified_though_all_messages_are_the_same() -> None:
    """Given a rollout of generation 2, and the same outcome as that of generation 1, then changes that roll nothing."""
    first = {"verification": {"generation": 1, "passed": True, "checks": CHECKS}}
    waits = [{"type": "Verified", "status": "Unknown", "reason": "Verifying"}]
    deployed = rolled_out(ON)
    done = (deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    found = told(service(verification={}, status={**first, "conditions": waits}, **BAKED), *done).verification
    assert found is not None
    assert found.generation == 2
    later = told(service(verification={}, status={**first, "conditions": []}, **BAKED), *done).verification
    assert later is not None
    assert later.generation == 1


def test_the_report_of_an_earlier_rollout_is_not_taken_for_this_ones() -> None:
    deployed = rolled_out(ON, revision=2)
    old = reporting(CHECKS)
    old["metadata"]["labels"]["batch.kubernetes.io/job-name"] = "speech-verify-of-revision-1"
    assert told(ON, deployed, verifying(ON, deployed), old).verification is None


def test_a_report_outlives_the_pod_that_wrote_it() -> None:
    deployed = rolled_out(ON)
    done = verifying(ON, deployed, "Complete")
    before = told(ON, deployed, done, reporting(CHECKS))
    found = told(service(verification={}, status=as_json(before), **BAKED), deployed, done)
    assert (found.verification, found.performance) == (before.verification, before.performance)


def test_both_ends_are_events() -> None:
    deployed = rolled_out(ON)
    begun = told(ON, deployed, verifying(ON, deployed))
    good = told(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    assert ("Normal", "Verified") in {(note.type, note.reason) for note in transitions(begun, good)}
    bad = told(ON, deployed, verifying(ON, deployed, "Failed"))
    assert ("Warning", "VerificationFailed") in {(note.type, note.reason) for note in transitions(begun, bad)}
