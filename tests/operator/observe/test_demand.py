"""What the pods of a front report, taken together."""

from __future__ import annotations

from whisper_operator.observe.demand import FrontDemand, demand_of
from whisper_runtime.contract.front import DemandReport


def report(held: int = 0, active: int = 0, idle: float = 0.0) -> DemandReport:
    return DemandReport(held_requests=held, held_bytes=0, active_requests=active, idle_seconds=idle)


def test_requests_of_all_pods_count_and_the_one_that_was_busy_last() -> None:
    found = demand_of({"one": report(held=1, idle=0.0), "two": report(active=2, idle=90.0)})
    assert found == FrontDemand(held=1, active=2, idle_seconds=0.0)
    assert found.is_there


def test_pods_at_rest_are_no_demand() -> None:
    found = demand_of({"one": report(idle=60.0), "two": report(idle=90.0)})
    assert (found.idle_seconds, found.is_there) == (60.0, False)


def test_a_pod_that_does_not_answer_is_named_and_counts_for_the_time_once_none_does() -> None:
    assert demand_of({"one": report(), "two": None}, 30.0) == FrontDemand(silent=("two",))
    assert demand_of({"two": None, "one": None}, 30.0) == FrontDemand(silent=("one", "two"), silent_seconds=30.0)
    assert demand_of({}, 30.0) == FrontDemand(silent_seconds=30.0)
