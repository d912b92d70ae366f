"""What one store bears, in short; `python -m benchmarks.scale` runs the long form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scale.costs import costs
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.queue import StoreLoad, simulated
from benchmarks.scale.report import ScaleReport, plot, text
from testbed.store_server import running

FLEET = Fleet()
EVEN = dict.fromkeys(FLEET.calls(), 50e-6)


def test_ten_million_minutes_are_so_many_requests_at_the_peak() -> None:
    assert FLEET.requests == pytest.approx(10e6 * 60 / 86400 * 3 / 60)
    assert replace(FLEET, recording_seconds=120.0).requests == pytest.approx(FLEET.requests / 2)


def test_what_pods_ask_by_themselves_grows_with_them_and_all_else_with_the_audio() -> None:
    idle, busy = Fleet(audio_minutes_a_day=0.0).calls(), FLEET.calls()
    assert {verb for verb, calls in idle.items() if calls} == {"look", "statistics", "expire", "info"}
    more_pods = Fleet(pods=2000).calls()
    assert more_pods["look"] == 2 * busy["look"]
    assert more_pods["put"] == busy["put"]
    doubled = FLEET.times(2).calls()
    assert doubled == {verb: pytest.approx(2 * calls) for verb, calls in busy.items()}


def test_calls_of_one_length_wait_as_theory_has_it() -> None:
    """M/D/1 waits for rho / (2 (1 - rho)) services in the mean; of 99 %, for some four of them at half of the load."""
    found = simulated({"get": 500.0}, {"get": 0.001}, seed=1)
    assert found.busy == pytest.approx(0.5)
    assert 0.003 < found.waits[0] < 0.006
    assert found.waits[0] < found.waits[1]
    assert simulated({"get": 10.0}, {"get": 0.001}, seed=1).waits[0] < 0.0015


def test_the_report_names_what_ends_first(tmp_path: Path) -> None:
    found = ScaleReport(FLEET, EVEN, [(1.0, StoreLoad(0.3, (0.001, 0.002))), (4.0, StoreLoad(1.2, (9.0, 9.9)))])
    assert found.limits["the store's one processor"] == pytest.approx(0.7 / found.busy)
    assert "| 1 | 1000 | 30% | 1.0 ms and 2.0 ms |" in text(found)
    assert "| 4 | 4000 | 120% | never |" in text(found)
    first = text(replace(found, costs={verb: 1e-3 for verb in EVEN})).partition("the first first:")[2]
    assert first.strip().startswith("- the store's one processor")
    plot(found, tmp_path / "scale.svg")
    assert (tmp_path / "scale.svg").read_text().startswith("<?xml")


@pytest.mark.slow
async def test_each_verb_costs_a_real_store_something(tmp_path: Path) -> None:
    with running("valkey", tmp_path / "store") as server:
        found = await costs(server, tmp_path / "url", calls=20)
    assert found.keys() == FLEET.calls().keys()
    assert min(found.values()) > 0
