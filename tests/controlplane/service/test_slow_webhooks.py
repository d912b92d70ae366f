"""A webhook that takes a request and then its time: what waits for it is that child alone, and that is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from testbed.operator_process import OPERATOR
from tests.support.admission_webhook import ReviewRequest, reviewing
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, port_of, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")

LONGEST = 30
"""Seconds that an API server waits for a webhook at most."""
TOO_LONG_AT_FIRST = 20.0
"""Seconds: a child has 12 in its first pass, and 36 in the next one."""
NEVER = 600.0
RETRIED_WITHIN = 120
CHILDREN = ("service", "deployment", "pdb", "hpa", "serviceaccount")


@dataclass
class SlowWebhook:
    """Lets everything in, in `seconds`."""

    seconds: float = 0.0
    users: list[str] = field(default_factory=list[str])
    """Who wrote what each request asks about."""
    over: threading.Event = field(default_factory=threading.Event)


class SlowReview(ReviewRequest):
    webhook: SlowWebhook

    def do_POST(self) -> None:
        review = self.read_review()
        self.webhook.users.append(review["userInfo"]["username"])
        if self.webhook.over.wait(self.webhook.seconds):
            return
        self.answer_review(review)


@pytest.fixture
def slow(namespace: Kubectl, tmp_path: Path) -> Iterator[SlowWebhook]:
    """A webhook that is asked about each Ingress of the namespace, and is not slow yet."""
    found = SlowWebhook()
    with reviewing(SlowReview, namespace, tmp_path, "ingresses", seconds=LONGEST, webhook=found):
        try:
            eventually("the webhook is asked", lambda: is_asked(namespace, found))
            yield found
        finally:
            found.over.set()


def is_asked(namespace: Kubectl, slow: SlowWebhook) -> bool:
    """Whether the API server, which takes a moment to know the webhook, asks it."""
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    api = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "probe"}}
    body = {**api, "spec": {"defaultBackend": backend}}
    namespace("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body))
    return bool(slow.users)


def failing(namespace: Kubectl) -> str:
    """The message of Reconciling where it tells of a child that cannot be applied."""
    found = namespace.condition("speech", "Reconciling")
    return found.get("message", "") if found.get("reason") == "ApplyFailed" else ""


def times(slow: SlowWebhook) -> int:
    """How often the operator has tried to write the Ingress."""
    return slow.users.count(OPERATOR)


def a_service_whose_ingress_waits(namespace: Kubectl) -> None:
    ingress = {"host": f"{namespace.namespace}.example.com"}
    spec = {"ingress": ingress, "disruption": {"maxUnavailable": 1}, "autoscaling": {}}
    namespace.apply(service("speech", **EMPTY_DIR, **spec))
    eventually("the child and the cause are told", lambda: "Ingress/speech: no answer within" in failing(namespace))
    for kind in CHILDREN:
        assert namespace.get(kind, "speech"), kind
    eventually("a Warning tells it", lambda: is_warned(namespace))
    assert (namespace.get("wsvc", "speech") or {})["status"]["observedGeneration"] == 1
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("the rest follows a change", lambda: port_of(namespace) == 8080)


def is_warned(namespace: Kubectl) -> bool:
    return any(one["reason"] == "ApplyFailed" and one["type"] == "Warning" for one in namespace.list("events"))


def test_a_slow_webhook_is_waited_for_in_the_end(namespace: Kubectl, slow: SlowWebhook) -> None:
    slow.seconds = TOO_LONG_AT_FIRST
    a_service_whose_ingress_waits(namespace)
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"), RETRIED_WITHIN)
    eventually("nothing is told any more", lambda: not failing(namespace))


def test_a_webhook_that_never_answers_is_asked_again_and_again(namespace: Kubectl, slow: SlowWebhook) -> None:
    slow.seconds = NEVER
    a_service_whose_ingress_waits(namespace)
    for _ in range(2):
        before = times(slow)
        eventually("it is tried again", lambda before=before: times(slow) > before, RETRIED_WITHIN)
    slow.seconds = 0.0
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"), RETRIED_WITHIN)
    eventually("nothing is told any more", lambda: not failing(namespace))
