"""Reports in termination messages: the last one counts, and another program's words are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.samples import pod
from whisper_operator.observe.pod_reports import fetch_report, verify_report

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
