"""Lets the load come, has the pods be played, and notes what each autoscaler makes of it."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.scaling import cluster
from benchmarks.scaling.metrics_apis import CPU_WINDOW, SCRAPE_SECONDS, PublishedMetrics, timestamp
from benchmarks.scaling.players import RECORDING_SECONDS, PlayedService
from benchmarks.scaling.report import Followed, Sample
from tests.support.kubectl import Kubectl
from whisper_runtime.contract.front import DemandReport

TICK_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 1.0
SEED: Final = 22


@dataclass
class FollowedService:
    """One variant: its pods, and what is noted of them."""

    within: Kubectl
    played: PlayedService
    samples: list[Sample] = field(default_factory=list[Sample])
    _busy: dict[str, float] = field(default_factory=dict[str, float])
    """Of each pod, seconds in which it had worked when CPU was published last."""

    def look(self, now: float) -> None:
        """Has the pods be ready that the cluster has, and notes how many it wants."""
        self.played.have(cluster.ready_pods(self.within))
        wanted = cluster.wanted_pods(self.within)
        self.samples.append(Sample(now, wanted, len(self.played.pods), self.played.waiting_audio))

    def used_since(self, seconds: float) -> dict[str, float]:
        """Processors that each pod used in those seconds, after which this was asked last; of new pods nothing yet."""
        before, self._busy = self._busy, {name: pod.busy for name, pod in self.played.pods.items()}
        return {
            name: cluster.REQUESTED * (busy - before[name]) / seconds
            for name, busy in self._busy.items()
            if name in before
        }

    @property
    def demand(self) -> DemandReport:
        """As its front has it."""
        waiting = self.played.waiting_audio
        return DemandReport(
            held_requests=round(waiting / RECORDING_SECONDS),
            held_bytes=0,
            held_audio_seconds=waiting,
            active_requests=self.played.under_way,
            idle_seconds=0,
        )

    @property
    def queues(self) -> dict[str, float]:
        """Seconds of audio that wait at each pod; behind a front none does."""
        pods = self.played.pods.items()
        return {name: 0.0 if self.played.has_front else pod.waiting_audio for name, pod in pods}


def begun(kubectl: Kubectl, variants: Sequence[str]) -> dict[str, FollowedService]:
    return {
        variant: FollowedService(
            kubectl.within(cluster.namespace_of(variant)),
            PlayedService(cluster.has_front(variant), random.Random(SEED)),
        )
        for variant in variants
    }


def follow(
    services: Mapping[str, FollowedService],
    seconds: float,
    come: Sequence[float],
    published: PublishedMetrics,
) -> dict[str, Followed]:
    """All of them at once, each with the very same recordings."""
    began, done = time.monotonic(), 0
    looked, cpu_at, queues_at = -LOOK_SECONDS, 0.0, 0.0
    while (now := time.monotonic() - began) < seconds:
        arrived = [at for at in come[done:] if at <= now]
        done += len(arrived)
        for variant, service in services.items():
            service.played.advance(now, arrived)
            if cluster.has_keda(variant):
                published.demand = service.demand
        if now - looked >= LOOK_SECONDS:
            looked = now
            for service in services.values():
                service.look(now)
        if now - cpu_at >= CPU_WINDOW:
            used = {one.within.namespace: one.used_since(now - cpu_at) for one in services.values()}
            cpu_at, published.cpu, published.cpu_at = now, used, timestamp()
        if now - queues_at >= SCRAPE_SECONDS:
            queues = {one.within.namespace: one.queues for one in services.values()}
            held = {one.within.namespace: one.played.waiting_audio for one in services.values() if one.played.has_front}
            published.held = held
            queues_at, published.queued, published.queued_at = now, queues, timestamp()
        time.sleep(TICK_SECONDS)
    return {variant: Followed(one.samples, one.played.waits) for variant, one in services.items()}
