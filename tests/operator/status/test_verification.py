"""What the verification of a rollout shows in the status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.samples import (
    NOW,
    jobs,
    live,
    pod,
    rolled_out,
    service,
    verifying,
)
from tests.operator.statuses import conditions, status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.reconcile.events import transitions
from whisper_operator.status.assemble import as_json

BAKED = {"cache": {"type": "Image"}}
LATER = 1767229200.0
"""An hour after NOW."""


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


def reporting(checks: list[dict[str, Any]], performance: dict[str, Any] = PERFORMANCE) -> Manifest:
    report = {"checks": checks, "performance": performance, "requests": 17}
    return pod("verify", containerStatuses=[{"state": {"terminated": {"message": json.dumps(report)}}}])


@pytest.mark.parametrize("spec", [{}, {"verification": {"enabled": False}}])
def test_it_is_off_where_the_spec_has_none(spec: dict[str, Any]) -> None:
    off = service(**spec, **BAKED)
    assert jobs(off, rolled_out(off)) == []
    assert "Verified" not in conditions(status(off, rolled_out(off)))


def test_a_first_service_is_ready_once_it_is_verified() -> None:
    deployed = rolled_out(ON)
    assert conditions(status(ON, deployed))["Ready"] == ("False", "Verifying")
    found = status(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert conditions(found)["Verified"] == ("True", "ChecksPassed")
    assert found.verification is not None
    assert found.performance is not None
    assert (found.verification.passed, found.verification.generation) == (True, 2)
    assert found.verification.checks[0].message == "0 % of the words wrong"
    assert found.performance.model_dump() == {
        "load_seconds": 2.5, "realtime_factor": 7.5, "p95_seconds": 0.5, "device": "cpu", "compute_type": "float32",
        "memory_bytes": None, "processor": None, "bfloat16_speed": None,
    }  # fmt: skip


def test_what_a_pod_tells_of_its_device_is_believed_before_the_spec() -> None:
    deployed = rolled_out(ON)
    measured = {**PERFORMANCE, "device": "NVIDIA H100", "compute_type": "float16", "memory_bytes": 3_000_000_000}
    found = status(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS, measured)).performance
    assert found is not None
    assert (found.device, found.compute_type, found.memory_bytes) == ("NVIDIA H100", "float16", 3_000_000_000)


IN_BFLOAT16 = service(verification={}, computeType="bfloat16", **BAKED)


@pytest.mark.parametrize(
    ("speed", "expected", "says"),
    [
        (
            0.62,
            ("False", "SlowerThanFloat32"),
            "spec.computeType is bfloat16, and A Xeon (avx512f) multiplies in bfloat16 at 0.62 of its speed in "
            "float32: write auto, or name nodes whose processors have AMX in spec.scheduling.nodeSelector",
        ),
        (1.0, ("True", "FasterThanFloat32"), "A Xeon (avx512f) multiplies in bfloat16 at 1 of its speed in float32"),
        (3.5, ("True", "FasterThanFloat32"), "A Xeon (avx512f) multiplies in bfloat16 at 3.5 of its speed in float32"),
    ],
)
def test_bfloat16_is_said_to_be_of_use_where_a_pod_measured_it_so(
    speed: float, expected: tuple[str, str], says: str
) -> None:
    deployed = rolled_out(IN_BFLOAT16)
    measured = {**PERFORMANCE, "processor": "A Xeon (avx512f)", "bfloat16_speed": speed}
    found = status(IN_BFLOAT16, deployed, verifying(IN_BFLOAT16, deployed, "Complete"), reporting(CHECKS, measured))
    assert conditions(found)["ComputeTypeFast"] == expected
    assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert [one.message for one in found.conditions if one.type == "ComputeTypeFast"] == [says]
    assert found.performance is not None
    assert (found.performance.processor, found.performance.bfloat16_speed) == ("A Xeon (avx512f)", speed)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"computeType": "bfloat16"}, ("Unknown", "NotMeasured")),
        ({"computeType": "bfloat16", "verification": {"enabled": False}}, ("Unknown", "NotMeasured")),
        ({"computeType": "float32"}, None),
        ({}, None),
        ({"computeType": "bfloat16", "gpu": {}}, None),
    ],
)
def test_nothing_is_said_of_bfloat16_before_it_is_measured_and_elsewhere(
    spec: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    of = service(**{"verification": {}, **spec}, **BAKED)
    assert conditions(status(of, rolled_out(of))).get("ComputeTypeFast") == expected


def test_what_fails_is_named_and_waits_for_the_user() -> None:
    deployed = rolled_out(ON)
    wrong = [*CHECKS, {"name": "refuses without a key", "passed": False, "message": "answered 200"}]
    found = status(ON, deployed, verifying(ON, deployed, "Failed"), reporting(wrong))
    assert conditions(found)["Stalled"] == ("True", "VerificationFailed")
    assert "refuses without a key: answered 200. It is verified again by itself" in found.conditions[0].message
    assert "delete Job speech-verify-" in found.conditions[0].message
    assert found.verification is not None
    assert found.verification.passed is False


def test_a_later_rollout_is_verified_while_the_service_stays_ready() -> None:
    deployed = rolled_out(ON)
    before = status(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    later = service(verification={}, status=as_json(before), **BAKED)
    found = status(later, rolled_out(later, revision=2))
    assert conditions(found)["Ready"] == ("True", "Verifying")
    assert conditions(found)["Reconciling"] == ("True", "Verifying")
    assert found.verification == before.verification


@pytest.mark.parametrize("passed", [True, False])
def test_what_a_pod_reports_counts_when_its_job_has_ended(passed: bool) -> None:
    """Given a first rollout whose pod has ended: the Job may send another one, and the service was never ready."""
    deployed = rolled_out(ON)
    of, there = ON, (deployed, verifying(ON, deployed), reporting([{**CHECKS[0], "passed": passed}]))
    for _ in range(2):
        found = status(of, *there)
        assert conditions(found)["Ready"] == ("False", "Verifying")
        assert found.verification is None
        of = service(verification={}, status=as_json(found), **BAKED)


def test_a_service_that_failed_is_not_ready_while_it_is_verified_again() -> None:
    """Given the failed Job deleted by hand, and a rollout that is to mend it."""
    deployed = rolled_out(ON)
    wrong = [{**CHECKS[0], "passed": False}]
    failed = status(ON, deployed, verifying(ON, deployed, "Failed"), reporting(wrong))
    again = service(verification={}, status=as_json(failed), **BAKED)
    for revision in (1, 2):
        assert conditions(status(again, rolled_out(again, revision)))["Ready"] == ("False", "Verifying")


def test_the_generation_is_the_one_that_was_verified_though_all_messages_are_the_same() -> None:
    """Given a rollout of generation 2, and the same outcome as that of generation 1, then changes that roll nothing."""
    first = {"verification": {"generation": 1, "passed": True, "checks": CHECKS}}
    waits = [{"type": "Verified", "status": "Unknown", "reason": "Verifying"}]
    deployed = rolled_out(ON)
    done = (deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    found = status(service(verification={}, status={**first, "conditions": waits}, **BAKED), *done).verification
    assert found is not None
    assert found.generation == 2
    later = status(service(verification={}, status={**first, "conditions": []}, **BAKED), *done).verification
    assert later is not None
    assert later.generation == 1


def test_the_report_of_an_earlier_rollout_is_not_taken_for_this_ones() -> None:
    deployed = rolled_out(ON, revision=2)
    old = reporting(CHECKS)
    old["metadata"]["labels"]["batch.kubernetes.io/job-name"] = "speech-verify-of-revision-1"
    assert status(ON, deployed, verifying(ON, deployed), old).verification is None


def test_a_report_outlives_the_pod_that_wrote_it() -> None:
    deployed = rolled_out(ON)
    done = verifying(ON, deployed, "Complete")
    before = status(ON, deployed, done, reporting(CHECKS))
    found = status(service(verification={}, status=as_json(before), **BAKED), deployed, done)
    assert (found.verification, found.performance) == (before.verification, before.performance)


def test_both_ends_are_events() -> None:
    deployed = rolled_out(ON)
    begun = status(ON, deployed, verifying(ON, deployed))
    good = status(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    assert ("Normal", "Verified") in {(note.type, note.reason) for note in transitions(begun, good)}
    bad = status(ON, deployed, verifying(ON, deployed, "Failed"))
    assert ("Warning", "VerificationFailed") in {(note.type, note.reason) for note in transitions(begun, bad)}


def again(of: WhisperService, deployed: Manifest) -> Manifest:
    """The second attempt's Job, which runs."""
    failed = verifying(of, deployed, "Failed")
    failed["status"]["conditions"][0]["lastTransitionTime"] = NOW
    (job,) = (body for body in jobs(of, deployed, failed, now=LATER) if body["kind"] == "Job")
    return live(job, status={})


def test_a_failure_stays_while_it_is_verified_again() -> None:
    """Else each attempt would move Stalled, and be an Event."""
    deployed = rolled_out(ON)
    wrong = [{"name": "transcribes", "passed": False, "message": "answered 500"}]
    failed = status(ON, deployed, verifying(ON, deployed, "Failed"), reporting(wrong))
    of = service(verification={}, status=as_json(failed), **BAKED)
    running = status(of, deployed, again(of, deployed))
    assert running == failed
    assert list(transitions(failed, running)) == []


def busy(because: str = "the server has been busy for 600 s: it answered 429") -> Manifest:
    """The pod of a verification for which the server had no room."""
    report = {"checks": CHECKS, "requests": 3, "busy": because}
    return pod("verify", containerStatuses=[{"state": {"terminated": {"message": json.dumps(report)}}}])


def test_a_busy_service_is_not_called_wrong_and_keeps_what_was_proven() -> None:
    deployed = rolled_out(ON)
    first = status(ON, deployed, verifying(ON, deployed, "Failed"), busy())
    assert conditions(first)["Verified"] == ("False", "VerificationBusy")
    assert conditions(first)["Ready"] == ("False", "VerificationBusy")
    assert "Stalled" not in conditions(first)
    good = status(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    of = service(verification={}, status=as_json(good), **BAKED)
    later = status(of, deployed, verifying(of, deployed, "Failed"), busy())
    assert conditions(later)["Ready"] == ("True", "AsSpecified")
    assert later.verification == good.verification
    waiting = service(verification={}, status=as_json(later), **BAKED)
    assert conditions(status(waiting, deployed, again(waiting, deployed)))["Verified"] == ("False", "VerificationBusy")


def test_an_attempt_that_succeeds_makes_it_ready() -> None:
    deployed = rolled_out(ON)
    failed = status(ON, deployed, verifying(ON, deployed, "Failed"), reporting([{**CHECKS[0], "passed": False}]))
    of = service(verification={}, status=as_json(failed), **BAKED)
    job = again(of, deployed)
    done = {**job, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    found = status(of, deployed, done, reporting(CHECKS))
    assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert found.verification is not None
    assert (found.verification.passed, found.verification.passed_generation) == (True, 2)


def test_a_failure_after_the_first_proof_leaves_ready_and_remembers_the_proof() -> None:
    deployed = rolled_out(ON)
    good = status(ON, deployed, verifying(ON, deployed, "Complete"), reporting(CHECKS))
    of = service(verification={}, status=as_json(good), **BAKED)
    bad = status(of, deployed, verifying(of, deployed, "Failed"), reporting([{**CHECKS[0], "passed": False}]))
    assert conditions(bad)["Ready"] == ("True", "AsSpecified")
    assert conditions(bad)["Verified"] == ("False", "VerificationFailed")
    assert bad.verification is not None
    assert (bad.verification.passed, bad.verification.passed_generation) == (False, 2)
    lost = service(verification={}, status=as_json(bad) | {"conditions": []}, **BAKED)
    assert conditions(status(lost, deployed))["Ready"] == ("True", "Verifying")


def test_the_proof_that_an_earlier_release_recorded_counts() -> None:
    before = {"verification": {"generation": 1, "passed": True, "checks": CHECKS}}
    of = service(before, verification={}, **BAKED)
    assert conditions(status(of, rolled_out(of)))["Ready"] == ("True", "Verifying")
