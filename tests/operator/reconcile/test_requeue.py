"""When a pass looks again by itself."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from tests.operator.resolve.test_front import fronting
from tests.operator.samples import NOW, deployment, live, observed, pod, resolved, rolled_out, service, verifying
from tests.operator.statuses import all_of
from whisper_operator.api import conditions as c
from whisper_operator.objects.kinds import INGRESS
from whisper_operator.observe.demand import FrontDemand
from whisper_operator.reconcile.requeue import seconds_until_next_look
from whisper_operator.status.refused import Refusal

GUARDED: dict[str, Any] = {"auth": {"secretRef": {"name": "keys"}}, "cache": {"type": "EmptyDir"}}
EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
REFUSED = Refusal(INGRESS, "speech", c.REJECTED, "no")


def test_a_service_as_it_should_be_waits_for_a_change() -> None:
    assert seconds_until_next_look(resolved(service(), observed(*all_of(service()))), ()) is None


def test_a_refused_child_is_applied_again_after_a_minute() -> None:
    assert seconds_until_next_look(resolved(service()), (REFUSED,)) == 60


@pytest.mark.parametrize(("missing", "wait"), [(None, 5), (0, 5), (12, 12), (3600, 60)])
def test_a_missing_secret_is_looked_for_after_as_long_as_it_has_been_missing(missing: int | None, wait: int) -> None:
    failed = {"type": "PreflightPassed", "status": "False", "reason": "SecretNotFound", "lastTransitionTime": NOW}
    wanted = service({"conditions": [failed] if missing is not None else []}, **GUARDED)
    now = datetime.datetime.fromisoformat(NOW).timestamp() + (missing or 0)
    found = resolved(wanted, observed(secrets={"keys": None}, now=now))
    assert seconds_until_next_look(found, ()) == wait


def test_pods_that_share_a_store_are_asked_again_after_half_a_minute() -> None:
    wanted = service(redis={"secretKeyRef": {"name": "valkey", "key": "url"}})
    there = observed(*all_of(wanted), store_reports={"speech-1": None}, secrets={"valkey": frozenset({"url"})})
    assert seconds_until_next_look(resolved(wanted, there), ()) == 30


@pytest.mark.parametrize(
    ("demand", "wait"),
    [
        (FrontDemand(idle_seconds=200.0), 400),
        (FrontDemand(active=1), 600),
        (FrontDemand(idle_seconds=599.9), 1),
        (None, 10),
    ],
    ids=["quiet for a while", "busy", "nearly idle", "unknown"],
)
def test_the_front_is_asked_again_when_the_last_pods_may_end_at_the_earliest(
    demand: FrontDemand | None, wait: float
) -> None:
    of = service(autoscaling={"minReplicas": 0}, **EMPTY_DIR)
    since = datetime.datetime.fromisoformat(NOW)
    ready = pod("server", conditions=[{"type": "Ready", "status": "True", "lastTransitionTime": NOW}])
    there = observed(rolled_out(of), ready, *fronting(), now=since.timestamp() + 3600, demand=demand)
    assert seconds_until_next_look(resolved(of, there), ()) == wait
    paused = service(autoscaling={"minReplicas": 0}, paused=True, **EMPTY_DIR)
    assert seconds_until_next_look(resolved(paused, there), ()) is None


def test_a_child_that_is_on_its_way_out_is_looked_at_again() -> None:
    """When it is told that something keeps it; pods come and go with events enough."""
    wanted, ending = service(), {"deletionTimestamp": NOW}
    there = all_of(wanted)
    leaving = {**there[-1], "kind": "Ingress", "metadata": {**there[-1]["metadata"], **ending}}
    draining = pod("server", "old")
    draining = {**draining, "metadata": {**draining["metadata"], **ending}}
    assert seconds_until_next_look(resolved(wanted, observed(*there, leaving)), ()) == 30
    assert seconds_until_next_look(resolved(wanted, observed(*there, draining)), ()) is None
    predecessors = replace(observed(*there), predecessors=frozenset({("Ingress", "speech")}))
    assert seconds_until_next_look(resolved(wanted, predecessors), ()) == 30


def test_a_child_that_no_watch_shows_is_read_again_after_15_seconds() -> None:
    wanted = service()
    there = all_of(wanted)
    of_it = next(one for one in there if one["kind"] == "Deployment")
    del of_it["metadata"]["labels"]["whisper-operator.io/service"]
    assert seconds_until_next_look(resolved(wanted, observed(*there)), ()) == 15


def test_another_autoscaler_is_looked_for_after_a_minute() -> None:
    there = observed(*all_of(service()), rivals=("HorizontalPodAutoscaler/mine",))
    assert seconds_until_next_look(resolved(service(), there), ()) == 60


def test_what_waits_as_jobs_is_asked_for_every_minute() -> None:
    keeps = pod("server", podIP="10.0.0.1", conditions=[{"type": "Ready", "status": "True"}])
    for spec, wait in (({"jobs": {}}, 60), ({}, None)):
        wanted = service(**spec)
        assert seconds_until_next_look(resolved(wanted, observed(*all_of(wanted), keeps)), ()) == wait


def test_a_fetch_that_runs_is_asked_for_its_progress() -> None:
    wanted = service()
    claim = all_of(wanted)[0]
    fetching = pod("prefetch", podIP="10.0.0.1", containerStatuses=[{"state": {"running": {}}}])
    assert seconds_until_next_look(resolved(wanted, observed(claim, fetching)), ()) == 4


def test_a_paused_service_does_not_wait_for_what_it_would_do_next() -> None:
    """A verification that is due again is a Job that would not be made."""
    wanted = service(verification={}, paused=True, **EMPTY_DIR)
    there = rolled_out(wanted)
    failed = verifying(wanted, there, "Failed")
    assert seconds_until_next_look(resolved(wanted, observed(there, failed)), ()) is None
    going_on = wanted.model_copy(update={"spec": wanted.spec.model_copy(update={"paused": False})})
    assert seconds_until_next_look(resolved(going_on, observed(there, failed)), ()) is not None


def test_the_earliest_look_counts() -> None:
    wanted = service(**GUARDED)
    found = resolved(wanted, observed(live(deployment(wanted)), secrets={"keys": None}))
    assert seconds_until_next_look(found, (REFUSED,)) == 5


def test_it_is_looked_again_whether_a_node_comes_while_the_front_waits_for_the_first_pod() -> None:
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    for front, wait in (({}, 10), (None, None)):
        of = service(front=front, **EMPTY_DIR)
        waiting = pod("server", conditions=[unplaced])
        there = observed(
            rolled_out(of, readyReplicas=0, availableReplicas=0), *(fronting() if front == {} else []), waiting
        )
        assert seconds_until_next_look(resolved(of, there), ()) == wait
