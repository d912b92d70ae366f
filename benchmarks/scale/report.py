"""The report of what one store bears: pure, but for the plot's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.scale.fleet import MOST_CLIENTS, Fleet
from benchmarks.scale.queue import StoreLoad

MOST_BUSY: Final = 0.7
"""Of the store's processor: the rest is for what comes at once, for a fork, and for what a failover leaves to do."""
LATE_SECONDS: Final = 0.05
"""A call that takes longer puts the store out of use for its pod (service/shared/shared_store.py)."""


@dataclass(frozen=True)
class ScaleReport:
    fleet: Fleet
    costs: Mapping[str, float]
    loads: Sequence[tuple[float, StoreLoad]]
    """By how many times the fleet."""

    @property
    def parts(self) -> list[tuple[str, float]]:
        """The part of the store's processor that each verb takes, the largest first."""
        calls = self.fleet.calls()
        return sorted(((verb, calls[verb] * self.costs[verb]) for verb in calls), key=lambda one: -one[1])

    @property
    def busy(self) -> float:
        return sum(part for _, part in self.parts)

    @property
    def limits(self) -> dict[str, float]:
        """How many times the fleet each resource bears; what is least saturates first."""
        return {
            "the store's one processor": MOST_BUSY / self.busy,
            "its connections (`maxclients` 10000)": MOST_CLIENTS / self.fleet.connections,
        }


def text(found: ScaleReport) -> str:
    fleet, calls = found.fleet, found.fleet.calls()
    rows = "".join(
        f"| `{verb}` | {calls[verb]:.0f} | {found.costs[verb] * 1e6:.0f} | {part:.1%} |\n" for verb, part in found.parts
    )
    loads = "".join(
        f"| {factor:g} | {fleet.times(factor).pods} | {load.busy:.0%} | {_shown(load)} |\n"
        for factor, load in found.loads
    )
    limits = sorted(found.limits.items(), key=lambda one: one[1])
    borne = "".join(
        f"- {name}: {times:.1f} times, {fleet.audio_minutes_a_day * times / 1e6:.0f} million minutes a day\n"
        for name, times in limits
    )
    return f"""\
{fleet.pods} pods, {fleet.audio_minutes_a_day / 1e6:g} million minutes of audio a day in recordings of \
{fleet.recording_seconds:g} s, {fleet.peak:g} times the mean at the peak: {fleet.requests:.0f} requests a second then,
of which {fleet.job_share:.0%} are jobs, and of the others {fleet.hit_share:.0%} have a kept result.

| verb | calls a second | microseconds of the store's processor for one | part of it |
|---|---|---|---|
{rows}
Together {found.busy:.0%} of one processor. A call waits behind others; simulated with calls at random times, and the
pods that as much audio takes:

| times the load | pods | the store is busy | 99 % and 99.9 % of calls are answered within |
|---|---|---|---|
{loads}
What it bears until it is busy for {MOST_BUSY:.0%} of the time, and what else ends, the first first:

{borne}
Beyond the least of these a service must have several stores. `look`, `statistics`, `expire` and `info` are what pods
ask whether or not anybody sends audio. Not in it: what replicas and an append-only file cost, the network's own bounds,
and contents, which are in a bucket from 256 KiB on.
"""


def plot(found: ScaleReport, path: Path) -> None:
    """The store's processor and the waits, by the load."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "scale"
    from matplotlib import pyplot

    plt: Any = pyplot
    figure, (busy, waits) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    million = [found.fleet.audio_minutes_a_day * factor / 1e6 for factor, _ in found.loads]
    busy.plot(million, [100 * load.busy for _, load in found.loads], "o-", color="#2a7de1")
    busy.axhline(100 * MOST_BUSY, color="#888888", linestyle="--")
    busy.set_ylabel("% of the store's processor", fontsize=9)
    stable = [(at, load) for at, (_, load) in zip(million, found.loads, strict=True) if load.busy < 1]
    waits.plot([at for at, _ in stable], [1000 * load.waits[1] for _, load in stable], "o-", color="#2a7de1")
    waits.axhline(1000 * LATE_SECONDS, color="#888888", linestyle="--")
    waits.set_yscale("log")
    waits.set_ylabel("ms, 99.9 % of calls", fontsize=9)
    for axis in (busy, waits):
        axis.set_xlabel("million minutes of audio a day", fontsize=9)
        axis.tick_params(labelsize=8)
    figure.savefig(path, metadata={"Date": None})


def _shown(load: StoreLoad) -> str:
    return " and ".join(f"{1000 * wait:.1f} ms" for wait in load.waits) if load.busy < 1 else "never"
