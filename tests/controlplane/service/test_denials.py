"""What a webhook denies to the operator is told, costs that alone and is tried again, whatever status it chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from testbed.operator_process import OPERATOR
from tests.support.admission_webhook import ReviewRequest, reviewing
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, port_of, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

ASKED = ("ingresses", "whisperservices/status")
RETRIED_WITHIN = 120
FORBIDDEN = {"code": 403, "reason": "Forbidden"}
NOT_FOUND = {"code": 404, "reason": "NotFound"}
"""As of a webhook that looks something up, and passes on what it was answered."""


@dataclass
class Denial:
    """Of the operation, to the operator: nobody else is denied anything."""

    operation: str = ""
    resource: str = ""
    status: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])
    """Who wrote what each request asks about."""

    def set(self, operation: str, resource: str, status: dict[str, Any]) -> None:
        self.operation, self.resource, self.status = operation, resource, status


class DeniedReview(ReviewRequest):
    denial: Denial

    def do_POST(self) -> None:
        review = self.read_review()
        denial, user = self.denial, review["userInfo"]["username"]
        denial.asked.append(user)
        is_about = (review["operation"], review["resource"]["resource"]) == (denial.operation, denial.resource)
        denied = {**denial.status, "message": 'teams.example.com "a" not found'}
        self.answer_review(review, denied if is_about and user == OPERATOR else None)


@pytest.fixture
def denial(namespace: Kubectl, tmp_path: Path) -> Iterator[Denial]:
    """A webhook that is asked about Ingresses and statuses of the namespace, and denies nothing yet."""
    found = Denial()
    with reviewing(DeniedReview, namespace, tmp_path, *ASKED, seconds=5, denial=found):
        eventually("the webhook is asked", lambda: is_asked(namespace, found))
        yield found


def is_asked(namespace: Kubectl, denial: Denial) -> bool:
    """Whether the API server, which takes a moment to know the webhook, asks it."""
    namespace("create", "ingress", "probe", "--rule=probe.example.com/=web:80", "--dry-run=server")
    return bool(denial.asked)


def with_ingress(namespace: Kubectl, **ingress: Any) -> dict[str, Any]:
    return {"ingress": {"host": f"{namespace.namespace}.example.com", **ingress}}


@pytest.mark.parametrize("status", [FORBIDDEN, NOT_FOUND], ids=["forbidden", "not found"])
def test_a_deletion_is_told_and_tried_again(namespace: Kubectl, denial: Denial, status: dict[str, Any]) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, **with_ingress(namespace)))
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"))
    denial.set("DELETE", "ingresses", status)
    patch(namespace, "speech", {"ingress": None, "service": {"port": 8080}})
    eventually("it is told", lambda: reason(namespace, "speech", "Stalled") == "Rejected")
    assert "deletion of Ingress/speech: admission webhook" in namespace.condition("speech", "Stalled")["message"]
    eventually("the rest follows a change", lambda: port_of(namespace) == 8080)
    denial.set("", "", {})
    eventually("the Ingress is gone", lambda: namespace.get("ingress", "speech") is None, RETRIED_WITHIN)
    eventually("nothing is told any more", lambda: reason(namespace, "speech", "Stalled") == "")


@pytest.mark.parametrize("status", [FORBIDDEN, NOT_FOUND], ids=["forbidden", "not found"])
def test_a_status_is_told_by_an_event_and_the_service_goes_on(
    namespace: Kubectl, denial: Denial, status: dict[str, Any]
) -> None:
    denial.set("UPDATE", "whisperservices", status)
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("an Event tells it", lambda: "StatusNotWritten" in {one["reason"] for one in namespace.list("events")})
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("a change is followed", lambda: port_of(namespace) == 8080)
    denial.set("", "", {})
    eventually("the status is written", lambda: generation_seen(namespace) == 2, RETRIED_WITHIN)


def generation_seen(namespace: Kubectl) -> int | None:
    return (namespace.get("wsvc", "speech") or {}).get("status", {}).get("observedGeneration")


def test_a_change_alone_is_told_beside_what_is_there(namespace: Kubectl, denial: Denial) -> None:
    """Given a rule that lets objects be made and not be changed."""
    namespace.apply(service("speech", **EMPTY_DIR, **with_ingress(namespace)))
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"))
    denial.set("UPDATE", "ingresses", FORBIDDEN)
    patch(namespace, "speech", {**with_ingress(namespace, path="/speech"), "service": {"port": 8080}})
    eventually("it is told", lambda: reason(namespace, "speech", "Exposed") == "Rejected")
    eventually("the rest follows a change", lambda: port_of(namespace) == 8080)
    denial.set("", "", {})
    eventually("the change comes", lambda: path_of(namespace) == "/speech", RETRIED_WITHIN)
    eventually("nothing is told any more", lambda: reason(namespace, "speech", "Stalled") == "")


def path_of(namespace: Kubectl) -> str:
    return (namespace.get("ingress", "speech") or {})["spec"]["rules"][0]["http"]["paths"][0]["path"]
