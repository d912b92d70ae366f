"""The Job that fetches a model: one for each source, digest and claim."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    children,
    claim,
    fetched,
    live,
    observed,
    one,
    pod,
    resolved,
    service,
)
from whisper_operator.api.v1alpha1 import Manifest


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"name": "small"}},
        {"model": {"name": "base", "source": {"url": "https://example.com/a.pt", "sha256": "a" * 64}}},
    ],
)
def test_another_model_is_another_fetch(change: dict[str, object]) -> None:
    names = {fetched(of, claim(of))["metadata"]["name"] for of in (service(), service(**change))}
    assert len(names) == 2


def test_another_claim_is_another_fetch() -> None:
    wanted, other = service(), claim(service())
    other["metadata"]["uid"] = "another"
    assert fetched(wanted, claim(wanted))["metadata"]["name"] != fetched(wanted, other)["metadata"]["name"]


def shared(mode: str, uid: str = "1") -> dict[str, Any]:
    body = {"metadata": {"name": "shared", "uid": uid}, "spec": {"accessModes": [mode]}, "status": {"phase": "Bound"}}
    return {"claims": {"shared": body}}


def test_another_claim_of_the_same_name_is_filled_anew() -> None:
    wanted = service(cache={"existingClaim": "shared"})
    before, after = (resolved(wanted, observed(**shared("ReadWriteMany", uid))).prefetch.job_name for uid in "12")
    assert before != after
    assert resolved(wanted, observed(claims={"shared": None})).prefetch.job_name is None


PROXY = {"name": "proxy", "state": {"running": {}}}
FETCHED = '{"model": "base", "reason": "Fetched", "message": ""}'
FAILED = '{"model": "base", "reason": "DownloadFailed", "message": ""}'


def begun() -> tuple[Manifest, Manifest]:
    """A claim, and the Job that has begun to fill it."""
    its_claim = claim(service())
    name = resolved(service(), observed(its_claim)).prefetch.job_name or ""
    return its_claim, live(one(children(service(), observed(its_claim)), "Job", name))


def fetching(message: str) -> Manifest:
    ended = {"state": {"terminated": {"exitCode": 0, "message": message}}}
    return pod("prefetch", phase="Running", podIP="10.0.0.1", containerStatuses=[PROXY, ended])


def test_a_fetch_is_done_once_its_container_has_reported_whatever_keeps_the_pod_running() -> None:
    found = resolved(service(), observed(*begun(), fetching(FETCHED)))
    assert found.prefetch.is_complete
    assert found.prefetch.running_pod is None
    assert found.model.is_fetched


def test_a_fetch_that_reports_a_failure_is_not_done() -> None:
    assert not resolved(service(), observed(*begun(), fetching(FAILED))).prefetch.is_complete


def test_it_stays_done_by_the_report_that_the_job_keeps() -> None:
    its_claim, job = begun()
    job["metadata"]["annotations"]["whisper-operator.io/report"] = FETCHED
    assert resolved(service(), observed(its_claim, job)).prefetch.is_complete
