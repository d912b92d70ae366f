"""The report of how autoscalers follow a step of load: pure, but for the plot's file."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.scaling.cluster import FEWEST, MOST, START_SECONDS
from benchmarks.scaling.metrics_apis import CPU_WINDOW, SCRAPE_SECONDS
from benchmarks.scaling.players import POD_LOAD, RECORDING_SECONDS, ROWS, SPEED, PlayedWait

LEGEND: Final = {
    "HPA on audio": "`metrics: [{type: QueuedAudio}]`; without a front, a recording waits at the pod that it came to.",
    "HPA on audio at Kubernetes' pace": "likewise, with Kubernetes' `behavior`; the operator's is one pod less in five "
    "minutes.",
    "HPA on audio at a front": "`metrics: [{type: QueuedAudio}]` and `front: {}`: recordings wait at the front.",
    "HPA on CPU": "`metrics: [{type: CPU}]`, without a front.",
    "HPA on both": "both metrics, of which the one that asks for more pods counts; without a front.",
    "KEDA at a front": "likewise with `keda: {onDemand: true}` and one pod of the front, which KEDA asks whenever "
    "the autoscaler asks KEDA.",
}
"""What each variant is."""
COLORS: Final = ("#2a7de1", "#e1662a", "#2aa876", "#8a4fd1", "#c2185b", "#7a6a00")


class Sample(NamedTuple):
    at: float
    """Seconds since the beginning."""
    wanted: int
    """Pods that the autoscaler asks for."""
    ready: int
    waiting_audio: float
    """Seconds of audio with which no pod has begun."""


@dataclass(frozen=True)
class Followed:
    """What one autoscaler did, in the order of time."""

    samples: Sequence[Sample]
    waits: Sequence[PlayedWait]

    def seconds_to(self, pods: int, step: float) -> float | None:
        """From the step until so many pods were ready; None: they never were."""
        return next((one.at - step for one in self.samples if one.at >= step and one.ready >= pods), None)

    @property
    def most(self) -> int:
        return max(one.ready for one in self.samples)

    def seconds_short(self, pods: int, step: float) -> float:
        """In which fewer pods were ready, after so many had been."""
        reached = self.seconds_to(pods, step)
        since = [] if reached is None else [one for one in self.samples if one.at >= step + reached]
        return sum(later.at - one.at for one, later in pairwise(since) if one.ready < pods)

    @property
    def pod_minutes(self) -> float:
        """Of ready pods, from the beginning to the end."""
        return sum(one.ready * (later.at - one.at) for one, later in pairwise(self.samples)) / 60

    def waits_after(self, step: float) -> list[float]:
        return sorted(one.seconds for one in self.waits if one.came >= step)


def text(found: Mapping[str, Followed], step: float, target: int) -> str:
    rows = "".join(f"| {variant} | {_row(followed, step, target)} |\n" for variant, followed in found.items())
    legend = "".join(f"- *{variant}*: {LEGEND[variant]}\n" for variant in found)
    return f"""\
The load rises from 1 to {target} pods' worth, and stays. Real are kube-controller-manager with its
HorizontalPodAutoscaler and all its defaults, the operator, which wrote the autoscalers, and KEDA where it is named.

Played are the pods: each is ready {START_SECONDS} s after it is made, and transcribes {SPEED:g} seconds of audio
a second, shared by up to {ROWS} recordings of {RECORDING_SECONDS:g} s. One pod's worth is {POD_LOAD:g} seconds of audio
a second, by which a pod is busy for as long as CPU's default target has it. Recordings come at random times, for all
the same ones. Played, too, are metrics-server, of which CPU is the mean of {CPU_WINDOW} s; Prometheus with its adapter,
by which the queue of a pod is what it was at a scrape, each {SCRAPE_SECONDS} s; and the front. There may be {FEWEST}
to {MOST} pods.

| scaled by | s to {target} ready pods | most pods | s with fewer afterwards | s a recording waits | pod minutes |
|---|---|---|---|---|---|
{rows}
A recording waits until a pod begins with it: the median, of 95 % at most, and the longest, of those since the step.
One pod's worth is the very target of CPU, so that by chance of the load a second pod may be there before the step.

{legend}"""


def _row(followed: Followed, step: float, target: int) -> str:
    reached = followed.seconds_to(target, step)
    waits = followed.waits_after(step)
    shown = f"{statistics.median(waits):.0f}, {waits[len(waits) * 95 // 100]:.0f}, {waits[-1]:.0f}"
    return (
        f"{'never' if reached is None else f'{reached:.0f}'} | {followed.most} ({followed.most - target:+d}) | "
        f"{followed.seconds_short(target, step):.0f} | {shown} | {followed.pod_minutes:.0f}"
    )


def plot(found: Mapping[str, Followed], step: float, target: int, path: Path) -> None:
    """Ready pods, and how long the audio that waits keeps one pod busy, by the time since the step."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "scaling"
    from matplotlib import pyplot

    plt: Any = pyplot
    figure, (pods, waits) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
    for color, (variant, followed) in zip(COLORS, found.items(), strict=False):
        times = [(one.at - step) / 60 for one in followed.samples]
        pods.step(times, [one.ready for one in followed.samples], where="post", color=color, label=variant)
        waits.plot(times, [one.waiting_audio for one in followed.samples], color=color)
    pods.axhline(target, color="#888888", linestyle="--")
    pods.set_ylabel("pods that are ready", fontsize=9)
    pods.legend(fontsize=8)
    waits.set_ylabel("s of audio that wait", fontsize=9)
    waits.set_yscale("symlog", linthresh=10)
    waits.set_ylim(bottom=0)
    waits.set_xlabel("minutes since the step", fontsize=9)
    for axis in (pods, waits):
        axis.axvline(0, color="#cccccc")
        axis.tick_params(labelsize=8)
    figure.savefig(path, metadata={"Date": None})
