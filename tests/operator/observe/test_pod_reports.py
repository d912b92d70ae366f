"""Reports in termination messages: the last one counts, and another program's words are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.samples import pod
from whisper_operator.observe.pod_reports import (
    fetch_report,
    is_outlived,
    kept_report,
    verify_report,
)
from whisper_runtime.contract.reports import FetchReport, VerifyReport

FETCHED = json.dumps({"model": "base", "reason": "Fetched", "message": "", "digest": "ab"})
VERIFIED = json.dumps({"checks": [], "requests": 3})


def ended(message: str, state: str = "state") -> dict[str, Any]:
    return {state: {"terminated": {"message": message}}}


@pytest.mark.parametrize("containers", ["containerStatuses", "initContainerStatuses"])
@pytest.mark.parametrize("state", ["state", "lastState"])
def test_a_fetch_reports_in_whichever_container_and_state_it_ended(containers: str, state: str) -> None:
    found = fetch_report(pod("prefetch", **{containers: [ended(FETCHED, state)]}))
    assert found is not None
    assert (found.digest, found.succeeded) == ("ab", True)


@pytest.mark.parametrize("message", ["", "killed", "{}", "null"])
def test_other_words_are_no_report(message: str) -> None:
    assert fetch_report(pod("prefetch", containerStatuses=[ended(message)])) is None
    assert verify_report(pod("verify", containerStatuses=[ended(message)])) is None


def test_a_verification_reports_when_it_has_ended() -> None:
    found = verify_report(pod("verify", containerStatuses=[ended(VERIFIED)]))
    assert found is not None
    assert found.requests == 3
    assert verify_report(pod("verify", containerStatuses=[{"state": {"running": {}}}])) is None


def test_a_sidecar_reports_nothing() -> None:
    assert fetch_report(pod("prefetch", containerStatuses=[{"name": "proxy", **ended(FETCHED)}])) is None
    assert verify_report(pod("verify", containerStatuses=[{"name": "proxy", **ended(VERIFIED)}])) is None


def test_a_job_keeps_the_report_that_its_pod_left() -> None:
    def job(report: str) -> dict[str, Any]:
        return {"metadata": {"annotations": {"whisper-operator.io/report": report}}}

    fetched, verified = kept_report(FetchReport, job(FETCHED)), kept_report(VerifyReport, job(VERIFIED))
    assert fetched is not None
    assert verified is not None
    assert (fetched.digest, verified.requests) == ("ab", 3)
    assert kept_report(FetchReport, {"metadata": {}}) is kept_report(VerifyReport, {"metadata": {}}) is None


PROXY = {"name": "proxy", "state": {"running": {}}}


@pytest.mark.parametrize(
    ("status", "outlived"),
    [
        ({"containerStatuses": [PROXY, ended(FETCHED)]}, True),
        ({"containerStatuses": [PROXY, {"state": {"running": {}}}]}, False),
        ({"containerStatuses": [{"name": "proxy", **ended("")}, ended(FETCHED)]}, False),
        ({"initContainerStatuses": [PROXY], "containerStatuses": [ended(FETCHED)]}, False),
        ({"containerStatuses": [ended(FETCHED)]}, False),
        ({}, False),
    ],
    ids=["a sidecar runs on", "it runs itself", "both have ended", "a native sidecar", "it was alone", "not started"],
)
def test_a_container_may_be_outlived(status: dict[str, Any], outlived: bool) -> None:
    assert is_outlived(pod("prefetch", **status), "fetch") is outlived
