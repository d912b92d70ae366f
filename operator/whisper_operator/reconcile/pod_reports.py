"""Keeps what pods said last: each is asked seldom, and one that is silent more seldom still."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Generic

from pydantic import BaseModel

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_status import is_ready
from whisper_operator.reconcile.pod_questions import R, ask

REMEMBERED: Final = 4096


class PodReports(Generic[R]):
    """The reports of pods at one path."""

    def __init__(self, path: str, report: type[R], *, ask_seconds: float, silent_seconds: float) -> None:
        """`ask_seconds`: until a pod is asked again; `silent_seconds`: until one is that did not answer, for where a
        NetworkPolicy keeps us out, each question costs seconds."""
        self._path, self._report = path, report
        self._ask_seconds, self._silent_seconds = ask_seconds, silent_seconds
        self._seen: OrderedDict[str, tuple[float, R | None]] = OrderedDict()
        """When each pod was asked, and its answer; by the pod's uid."""

    async def read(self, pod: Manifest, news: BaseModel | None = None) -> R | None:
        """The pod's last report; None where it does not answer. `news`: what it is handed where it is asked."""
        uid, now = pod["metadata"]["uid"], time.monotonic()
        asked, report = self._seen.pop(uid, (None, None))
        if asked is None or now - asked >= (self._ask_seconds if report else self._silent_seconds):
            asked, report = now, await ask(pod, self._path, self._report, news)
        self._seen[uid] = asked, report
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return report

    async def read_all(self, pods: Sequence[Manifest], news: BaseModel | None = None) -> dict[str, R | None]:
        """The last report of each pod, by its name; None where it does not answer (yet)."""
        reports = await asyncio.gather(*(self.read(pod, news) for pod in pods))
        return dict(zip((pod["metadata"]["name"] for pod in pods), reports, strict=True))


def ready_pods(observed: Observed, component: str) -> list[Manifest]:
    """The ready pods of a service's `component` that have an address to be asked at, the newest first."""
    return [pod for pod in observed.pods(component) if is_ready(pod) and pod["status"].get("podIP")]
