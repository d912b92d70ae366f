"""From a request to a service without a pod until its words, in parts."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from testbed.inputs import recordings
from tests.support import real_cluster
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service, reason
from tests.support.traffic import transcribe
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME: Final = "sleeper"
SLEEPING: Final = {"minReplicas": 0, "maxReplicas": 1, "scaleToZeroAfter": "10s"}
SECONDS: Final = 300
GOAL: Final = 1.3
"""Times a pod's start and the transcription, for first words."""


@dataclass(frozen=True)
class Wake:
    """Seconds since the request was sent; Kubernetes' own times are whole ones."""

    scheduled: float
    started: float
    ready: float
    words: float
    alone: float
    """That the same recording takes once the pod serves, by the same way."""

    @property
    def pod(self) -> float:
        """From the pod's place on a node until it is ready."""
        return self.ready - self.scheduled

    @property
    def ratio(self) -> float:
        return self.words / (self.pod + self.alone)


def wake(service: Kubectl, audio: bytes) -> Wake:
    """Of a service that sleeps."""
    url = service.address(NAME)
    first = transcribe(url, audio)
    again = [transcribe(url, audio) for _ in range(3)]
    assert not any(one.problem for one in (first, *again)), [first, *again]
    (pod,) = service.pods_of(NAME)
    state = pod["status"]["containerStatuses"][0]["state"]
    return Wake(
        _seconds_of(_since(pod, "PodScheduled")) - first.began,
        _seconds_of(state["running"]["startedAt"]) - first.began,
        _seconds_of(_since(pod, "Ready")) - first.began,
        first.ended - first.began,
        median(one.ended - one.began for one in again),
    )


def _since(pod: Manifest, condition: str) -> str:
    (found,) = [one["lastTransitionTime"] for one in pod["status"]["conditions"] if one["type"] == condition]
    return found


def _seconds_of(written: str) -> float:
    return datetime.datetime.fromisoformat(written).timestamp()


def run(wakes: int) -> list[Wake]:
    audio = (recordings.ensure() / "jfk.wav").read_bytes()
    with real_cluster.fresh_namespace(real_cluster.running()) as kubectl:
        # No shared results: each wake's words are transcribed.
        kubectl.apply(mirrored_service(NAME, autoscaling=SLEEPING))
        kubectl.wait_ready(NAME, SECONDS)
        return [_next(kubectl, audio) for _ in range(wakes)]


def _next(kubectl: Kubectl, audio: bytes) -> Wake:
    eventually("it sleeps", lambda: reason(kubectl, NAME, "Ready") == "ScaledToZero", SECONDS)
    eventually("no pod is there", lambda: not kubectl.pods_of(NAME), SECONDS)
    found = awaited("it wakes", lambda: wake(kubectl, audio), SECONDS)
    print(f"{time.strftime('%X')} {found}", flush=True)
    return found


def text(found: Sequence[Wake]) -> str:
    rows = "".join(
        f"| {one.scheduled:.1f} | {one.started:.1f} | {one.ready:.1f} | {one.words:.1f} | {one.alone:.1f} "
        f"| {one.ratio:.2f} |\n"
        for one in found
    )
    return f"""\
A service that sleeps gets a recording of 11 s; the image is on the node, and tiny.en on the claim. Seconds since the
request was sent, by Kubernetes' own times where they are a pod's, which are whole seconds. *Alone* is what the same
recording takes by the same way once the pod serves. The words come after {ratio_of(found):.2f} times (median) what the
pod's start, from its place on a node until it is ready, and that transcription take together; the goal is {GOAL}.

| pod scheduled | container started | pod ready | words | alone | words by start and transcription |
|---|---|---|---|---|---|
{rows}"""


def ratio_of(found: Sequence[Wake]) -> float:
    return median(one.ratio for one in found)
