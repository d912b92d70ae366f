"""A verification is asked for by deleting the Job of the last one, and waited for until its outcome is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.upkeep.verify import WaitClock, outcome, verify

from tests.plugin.conftest import CannedAnswer, PlannedServer, as_json, as_list

CHECK = {"name": "words", "passed": True, "message": "all right"}


def service(verified: str, message: str = "", **more: Any) -> dict[str, Any]:
    conditions = [{"type": "Verified", "status": verified, "reason": "R", "message": message}]
    status = {"availableReplicas": 1, "conditions": conditions, "verification": {"checks": [CHECK]}}
    body = {"metadata": {"namespace": "team", "name": "speech"}, "spec": {"verification": {}}, "status": status}
    return body | more


def job(uid: str, end: str = "", made: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    conditions = [{"type": end, "status": "True"}] if end else []
    metadata = {"name": "speech-verify-1", "uid": uid, "creationTimestamp": made}
    return {"metadata": metadata, "status": {"conditions": conditions}}


@dataclass
class Waited:
    """A clock that goes on by what is slept, and the notices."""

    seconds: float = 0.0
    notices: list[str] = field(default_factory=list[str])

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> WaitClock:
        return WaitClock(lambda: self.seconds, self.sleep)


def run(waited: Waited, seconds: float = 60) -> Any:
    return verify(KubeApi(None, None), "speech", seconds, waited.notices.append, waited.clock)


def looks(*pairs: tuple[list[dict[str, Any]], dict[str, Any]]) -> list[CannedAnswer]:
    """The answers to the looks at the Jobs and at the service."""
    return [answer for jobs, body in pairs for answer in (as_list(*jobs), as_json(body))]


def test_the_job_goes_and_the_next_ones_outcome_is_waited_for(api_server: PlannedServer) -> None:
    waited, old, new = Waited(), job("old", "Complete"), "2026-01-02T00:00:00Z"
    api_server.answers = [
        as_json(service("True")),
        as_list(old),
        as_json({}),
        *looks(
            ([old], service("True")),
            ([job("new", made=new)], service("Unknown", "real requests are being sent")),
            ([job("new", "Complete", new)], service("Unknown", "real requests are being sent")),
            ([job("new", "Complete", new)], service("True", "1 checks passed")),
        ),
    ]
    found = run(waited)
    assert (found.passed, found.message, found.checks[0].check, found.speed) == (True, "1 checks passed", "words", None)
    assert waited.notices == ["the operator has not begun yet", "real requests are being sent"]
    path, _, body = api_server.requests[2]
    assert (api_server.methods[2], path) == ("DELETE", "/apis/batch/v1/namespaces/team/jobs/speech-verify-1")
    assert json.loads(body) == {"propagationPolicy": "Background", "preconditions": {"uid": "old"}}
    assert api_server.methods.count("DELETE") == 1


def test_one_that_is_under_way_is_waited_for(api_server: PlannedServer) -> None:
    waited = Waited()
    api_server.answers = [
        as_json(service("Unknown")),
        as_list(job("now")),
        *looks(([job("now", "Failed")], service("False", "words: 9 of 9 are wrong"))),
    ]
    found = run(waited)
    assert (found.passed, found.message) == (False, "words: 9 of 9 are wrong")
    assert waited.notices == ["a verification is under way"]
    assert set(api_server.methods) == {"GET"}


@pytest.mark.parametrize(
    ("end", "verified", "is_known"),
    [
        ("", "True", False),
        ("Complete", "True", True),
        ("Complete", "False", False),
        ("Failed", "False", True),
        ("Failed", "True", False),
        ("Suspended", "True", True),
        ("Suspended", "False", True),
        ("Suspended", "Unknown", False),
    ],
)
def test_an_outcome_is_the_one_of_this_job(end: str, verified: str, is_known: bool) -> None:
    """What the status says may still be the last one's."""
    assert (outcome(service(verified), job("new", end)) is not None) is is_known


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (service("True", spec={}), "add `verification: {}`"),
        (service("True", spec={"verification": {"enabled": False}}), "add `verification: {}`"),
        (service("True", status={"conditions": []}), "no available pod"),
    ],
    ids=["off", "disabled", "without a pod"],
)
def test_a_service_that_would_not_be_verified_keeps_its_record(
    api_server: PlannedServer, body: dict[str, Any], message: str
) -> None:
    api_server.answers = [as_json(body)]
    with pytest.raises(Failure, match=message):
        run(Waited())
    assert api_server.methods == ["GET"]


def test_a_wait_ends(api_server: PlannedServer) -> None:
    api_server.answers = [as_json(service("True")), as_list()] + looks(([], service("True"))) * 10
    with pytest.raises(Failure, match=r"not verified within 4 s: the operator has not begun yet; look again"):
        run(Waited(), seconds=4)
