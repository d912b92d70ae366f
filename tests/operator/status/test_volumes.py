"""What the conditions say of the volumes of checkpoints and jobs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, fetched, live, observed, one, resolved, service
from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.facts import KubernetesWarning
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.blocking import model_cached
from whisper_operator.status.volumes import cache_as_specified, job_storage_as_specified, jobs_volatile

FIXED = {"fast": {"metadata": {"name": "fast"}}, "slow": {"metadata": {"name": "slow"}}}


def with_storage(part: str, **storage: Any) -> WhisperService:
    return service(**({"cache": storage} if part == "cache" else {"jobs": {"storage": storage}}))


def claim(part: str, phase: str = "Bound", **spec: Any) -> Manifest:
    name = "speech-models" if part == "cache" else "speech-jobs"
    manifest = one(children(with_storage(part)), "PersistentVolumeClaim", name)
    return live({**manifest, "spec": {**manifest["spec"], **spec}}, status={"phase": phase})


def judged(part: str, of: Resolved) -> ConditionUpdate | None:
    return cache_as_specified(of) if part == "cache" else job_storage_as_specified(of)


@pytest.mark.parametrize(
    ("part", "path", "kind"),
    [("cache", "spec.cache", "CacheAsSpecified"), ("jobs", "spec.jobs.storage", "JobStorageAsSpecified")],
)
@pytest.mark.parametrize(
    ("storage", "has", "reason", "says"),
    [
        ({"storageClassName": "slow"}, {"storageClassName": "fast"},
         "StorageClassImmutable", "has class fast, which cannot be changed"),
        ({"accessMode": "ReadWriteOnce"}, {"accessModes": ["ReadWriteOncePod"]},
         "AccessModeTooNarrow", "is ReadWriteOncePod, which cannot be changed"),
        ({"size": "20Gi"}, {"storageClassName": "fast"},
         "CannotGrow", "has 10Gi, and class fast does not let claims grow"),
    ],
)  # fmt: skip
def test_a_claim_that_cannot_become_what_the_spec_says_is_told(
    part: str, path: str, kind: str, storage: dict[str, str], has: dict[str, Any], reason: str, says: str
) -> None:
    there = observed(claim(part, **has), storage_classes=FIXED)
    found = judged(part, resolved(with_storage(part, **storage), there))
    assert found is not None
    assert (found.type, found.status, found.reason) == (kind, "False", reason)
    assert says in found.message
    assert found.message.endswith(f"name a claim of your own in {path}.existingClaim, or set the field back")


@pytest.mark.parametrize("part", ["cache", "jobs"])
def test_a_claim_as_the_spec_says_and_none_and_anothers_are_no_news(part: str) -> None:
    assert judged(part, resolved(with_storage(part), observed(claim(part)))) is None
    assert judged(part, resolved(with_storage(part), observed())) is None
    assert judged(part, resolved(with_storage(part, existingClaim="mine"), observed(claims={"mine": None}))) is None


def test_a_claim_of_jobs_that_gets_no_volume_is_told_with_the_cause() -> None:
    waiting = claim("jobs", phase="Pending")
    assert judged("jobs", resolved(with_storage("jobs"), observed(waiting))) is None, "its first pod brings it"
    warned = KubernetesWarning(waiting["metadata"]["uid"], "ProvisioningFailed", "no disk is left")
    there = observed(waiting, warnings={("PersistentVolumeClaim", "speech-jobs"): warned})
    assert judged("jobs", resolved(with_storage("jobs"), there)) == ConditionUpdate(
        c.JOB_STORAGE_AS_SPECIFIED,
        "False",
        c.WAITING_FOR_VOLUME,
        "claim speech-jobs has no volume: no disk is left",
    )


@pytest.mark.parametrize("part", ["cache", "jobs"])
def test_a_volume_that_is_gone_is_told_with_the_remedy_whatever_was_fetched_to_it(part: str) -> None:
    lost, of = claim(part, phase="Lost"), with_storage(part)
    there = resolved(of, observed(lost, *([fetched(of, lost)] if part == "cache" else [])))
    found = model_cached(there) if part == "cache" else job_storage_as_specified(there)
    assert found is not None
    assert (found.status, found.reason) == ("False", "VolumeLost")
    assert found.message.endswith("restore it, or delete the claim, and another is made")


@pytest.mark.parametrize("part", ["cache", "jobs"])
def test_a_volume_that_is_gone_of_a_claim_of_the_users_is_theirs_to_restore(part: str) -> None:
    of = with_storage(part, existingClaim="mine")
    there = resolved(of, observed(claims={"mine": claim(part, phase="Lost")}))
    found = model_cached(there) if part == "cache" else job_storage_as_specified(there)
    assert found is not None
    assert found.message.startswith("claim mine has lost its volume")
    assert found.message.endswith("restore it, or make the claim anew, or name another one")


def test_a_service_without_jobs_has_no_condition_of_them() -> None:
    left_behind = claim("jobs", storageClassName="fast")
    assert job_storage_as_specified(resolved(service(), observed(left_behind))) is None
    assert jobs_volatile(resolved(service(), observed(left_behind))) is None


def test_jobs_that_are_lost_with_their_pod_are_told_with_the_remedy() -> None:
    found = jobs_volatile(resolved(with_storage("jobs", type="EmptyDir")))
    assert found is not None
    assert (found.type, found.status, found.reason) == ("JobsVolatile", "True", "JobsInPod")
    assert "are lost with the pod" in found.message
    assert found.message.endswith("write PersistentVolumeClaim to keep them")
    assert jobs_volatile(resolved(with_storage("jobs"))) is None
