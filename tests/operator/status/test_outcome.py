"""Ready, Reconciling and Stalled over time, and of several causes at once; test_readiness.py has each cause alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from tests.operator.samples import NOW, children, live, observed, one, pod, resolved, rolled_out, service
from tests.operator.statuses import all_of, conditions, message
from whisper_operator.api import conditions as c
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import INGRESS, SERVICE, SERVICE_MONITOR, Kind
from whisper_operator.reconcile.events import transitions
from whisper_operator.status.assemble import as_json, observed_status
from whisper_operator.status.refused import Refusal

SCALED = {"autoscaling": {"minReplicas": 2, "maxReplicas": 10}}
NO_ROOM = pod("server", conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}])


def refusal(kind: Kind, reason: str = c.REJECTED) -> Refusal:
    return Refusal(kind, "speech", reason, f"{kind.kind}/speech: denied")


def told(of: WhisperService, there: Iterable[Manifest], *refused: Refusal, now: str = NOW, **facts: Any) -> Status:
    return observed_status(resolved(of, observed(*there, **facts)), refused, now)


def pods(of: WhisperService, wanted: int, available: int, **status: int) -> list[Manifest]:
    """Claim, fetch and a Deployment with a record of a good model, of which that many pods are wanted and available."""
    *before, deployed = all_of(of)
    counts = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": available, "availableReplicas": available}
    spec, good = {**deployed["spec"], "replicas": wanted}, {names.ANNOTATION_LAST_GOOD_MODEL: "base"}
    metadata = {**deployed["metadata"], "annotations": deployed["metadata"]["annotations"] | good}
    found = {"observedGeneration": 1, **counts, **status}
    return [*before, {**deployed, "metadata": metadata, "spec": spec, "status": found}]


def walk(start: WhisperService, steps: Iterable[list[Manifest]], spec: dict[str, Any]) -> list[Status]:
    """The status after each step, each pass having that of the step before; a second lies between two passes."""
    found, of = list[Status](), start
    for second, there in enumerate(steps):
        found.append(told(of, there, now=f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z"))
        of = service(as_json(found[-1]), **spec)
    return found


STEPS = [(2, 2), (10, 2), (10, 5), (10, 9), (10, 10), (6, 6), (2, 2)]
"""Pods that an autoscaler wants, and those that are available, on the way from 2 to 10 and back."""


@pytest.mark.parametrize(
    ("spec", "steps"),
    [
        pytest.param(SCALED, [(wanted, up, {}) for wanted, up in STEPS], id="an autoscaler"),
        pytest.param(
            SCALED,
            [(2, 2, {})] + [(wanted, up, {"observedGeneration": seen}) for wanted, up in STEPS for seen in (0, 1)],
            id="an autoscaler, each of whose steps the Deployment's counts follow later",
        ),
        pytest.param({}, [(1, 1, {})] + 25 * [(1, 1, {"observedGeneration": 0}), (1, 1, {})], id="50 annotations"),
        pytest.param({"replicas": 3}, [(3, 3, {}), (3, 2, {}), (3, 3, {}), (3, 2, {}), (3, 3, {})], id="a drain"),
    ],
)
def test_neither_ready_nor_an_event_moves_while_the_promised_pods_serve(
    spec: dict[str, Any], steps: list[tuple[int, int, dict[str, int]]]
) -> None:
    of = service(**spec)
    statuses = walk(of, [pods(of, wanted, up, **status) for wanted, up, status in steps], spec)
    ready = [found.conditions[0] for found in statuses]
    assert {(one.type, one.status, one.last_transition_time) for one in ready} == {("Ready", "True", NOW)}
    assert not any({"Reconciling", "Stalled"} & conditions(found).keys() for found in statuses)
    assert [note for before, after in itertools.pairwise(statuses) for note in transitions(before, after)] == []


def test_annotations_on_the_deployment_change_nothing_at_all() -> None:
    first, *later = walk(service(), [pods(service(), 1, 1, observedGeneration=seen) for seen in (1, 0, 1, 0)], {})
    assert later == [first] * 3


def test_a_template_that_was_tampered_with_shows_until_every_pod_is_put_back() -> None:
    replaced = pods(service(), 1, 1, replicas=2, updatedReplicas=1)
    before, during, after = walk(service(), [pods(service(), 1, 1), replaced, pods(service(), 1, 1)], {})
    assert conditions(during)["Ready"] == ("True", "Serving")
    assert conditions(during)["Reconciling"] == ("True", "RollingOut")
    assert conditions(after) == conditions(before)


def test_a_change_is_not_carried_out_before_the_deployments_counts_tell_of_it() -> None:
    """Else a tool would take the old pods for the new ones in the moment after the apply."""
    before = as_json(told(service(), pods(service(), 1, 1))) | {"observedGeneration": 1}
    changed = service(before, logging={"level": "debug"})
    found = told(changed, pods(changed, 1, 1, observedGeneration=0))
    assert conditions(found)["Reconciling"] == ("True", "RollingOut")


def test_a_smallest_number_that_is_raised_is_not_carried_out_before_the_autoscaler_follows() -> None:
    before = as_json(told(service(**SCALED), pods(service(**SCALED), 2, 2))) | {"observedGeneration": 1}
    more = {"autoscaling": {"minReplicas": 4, "maxReplicas": 10}}
    of = service(before, **more)
    steps = [pods(of, 2, 2), pods(of, 4, 2, observedGeneration=0), pods(of, 4, 2), pods(of, 4, 4), pods(of, 4, 3)]
    *under_way, done, drained = walk(of, steps, more)
    for found in under_way:
        assert conditions(found)["Ready"] == ("True", "Serving")
        assert conditions(found)["Reconciling"] == ("True", "RollingOut")
        assert message(found, "Reconciling").startswith("2 of 4 replicas available")
    for found in (done, drained):
        assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert {found.conditions[0].last_transition_time for found in (*under_way, done, drained)} == {NOW}


def test_what_a_user_must_mend_comes_before_what_goes_on_by_itself() -> None:
    more = service(as_json(told(service(), pods(service(), 1, 1))) | {"observedGeneration": 1}, replicas=3)
    found = told(more, [*pods(more, 3, 1), NO_ROOM], refusal(SERVICE_MONITOR))
    assert conditions(found)["Ready"] == ("True", "Serving")
    assert conditions(found)["Stalled"] == ("True", "Rejected")
    assert "Reconciling" not in conditions(found)
    assert message(found) == "Rejected: ServiceMonitor/speech: denied"


@pytest.mark.parametrize("reason", [c.REJECTED, c.NOT_OWNED])
def test_a_service_for_clients_that_exists_goes_on_where_its_change_is_refused(reason: str) -> None:
    clients = live(one(children(service()), "Service"))
    assert conditions(told(service(), [*all_of(service()), clients], refusal(SERVICE, reason)))["Ready"][0] == "True"
    lacking = conditions(told(service(), all_of(service()), refusal(SERVICE, reason)))
    assert lacking["Ready"] == ("False", reason)
    assert lacking["Stalled"] == ("True", reason)


def test_a_refused_metrics_service_leaves_clients_theirs() -> None:
    refused = Refusal(SERVICE, "speech-metrics", c.REJECTED, "Service/speech-metrics: denied")
    assert conditions(told(service(), all_of(service()), refused))["Ready"] == ("True", "Serving")


def test_a_pod_that_cannot_start_from_zero_takes_ready_away() -> None:
    spec = {"autoscaling": {"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}}}
    asleep = service(**spec)
    first = told(asleep, pods(asleep, 0, 0))
    waking = service(as_json(first), **spec)
    assert conditions(told(waking, pods(waking, 1, 0)))["Ready"] == ("True", "AsSpecified")
    assert conditions(told(waking, [*pods(waking, 1, 0), NO_ROOM]))["Ready"] == ("False", "Unschedulable")


def test_a_service_that_may_not_start_after_its_suspension_is_not_ready() -> None:
    asleep = service(suspend=True)
    suspended = as_json(told(asleep, pods(asleep, 0, 0))) | {"observedGeneration": 1}
    awake = service(suspended, auth={"secretRef": {"name": "keys"}})
    found = conditions(told(awake, pods(service(), 0, 0), secrets={"keys": None}))
    assert found["Ready"] == ("False", "SecretNotFound")
    assert found["Available"] == ("False", "WaitingForPreflight")


def test_a_suspended_service_tells_what_is_refused_beside() -> None:
    asleep = service(suspend=True, ingress={"host": "a.example.com"})
    found = conditions(told(asleep, pods(asleep, 0, 0), refusal(INGRESS)))
    assert found["Ready"] == ("True", "Suspended")
    assert found["Stalled"] == ("True", "Rejected")


def test_the_loss_of_the_record_of_the_last_good_model_takes_nothing_away() -> None:
    """Given that somebody removed every annotation of the Deployment, whose counts then look old."""
    of = service(as_json(told(service(), pods(service(), 1, 1))))
    *before, deployed = pods(of, 1, 1, observedGeneration=0)
    stripped = {**deployed, "metadata": {**deployed["metadata"], "annotations": {}}}
    assert conditions(told(of, [*before, stripped]))["Ready"] == ("True", "AsSpecified")


def test_verification_that_is_switched_on_takes_nothing_away_from_a_service_that_serves() -> None:
    baked = {"cache": {"type": "Image"}}
    there = [rolled_out(service(**baked))]
    before = as_json(told(service(**baked), there)) | {"observedGeneration": 1}
    found = conditions(told(service(before, verification={}, **baked), there))
    assert found["Ready"] == ("True", "Verifying")
    assert found["Reconciling"] == ("True", "Verifying")
