"""Reads from the pods that serve whether they can use the store that they share: seldom, and of a few of them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.pod_questions import ask
from whisper_runtime.contract.network import STORE_PATH
from whisper_runtime.contract.shared_store import SharedStoreReport

ASK_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 120.0
"""Until a pod that did not answer is asked again: where a NetworkPolicy keeps us out, each question costs seconds."""
MOST_PODS: Final = 5
"""Pods that are asked: they share one store and one URL, and differ by their nodes' network alone."""
REMEMBERED: Final = 4096


@dataclass(frozen=True)
class StoreAnswer:
    asked: float
    report: SharedStoreReport | None


class StoreReports:
    def __init__(self) -> None:
        self._seen: OrderedDict[str, StoreAnswer] = OrderedDict()
        """By the pod's uid."""

    async def read(self, pods: Sequence[Manifest]) -> Mapping[str, SharedStoreReport | None]:
        """The report of each pod, by its name; None where it does not answer (yet)."""
        reports = await asyncio.gather(*map(self._report, pods))
        return dict(zip((pod["metadata"]["name"] for pod in pods), reports, strict=True))

    async def _report(self, pod: Manifest) -> SharedStoreReport | None:
        uid, now = pod["metadata"]["uid"], time.monotonic()
        seen = self._seen.pop(uid, None)
        if seen is None or now - seen.asked >= (ASK_SECONDS if seen.report else SILENT_SECONDS):
            seen = StoreAnswer(now, await ask(pod, STORE_PATH, SharedStoreReport))
        self._seen[uid] = seen
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return seen.report


def pods_to_ask(service: WhisperService, observed: Observed) -> list[Manifest]:
    """Ready pods of a service that shares a store."""
    if service.spec.redis is None:
        return []
    ready = [pod for pod in observed.pods(names.SERVER) if pod_status.is_ready(pod) and pod["status"].get("podIP")]
    return sorted(ready, key=lambda pod: pod["metadata"]["name"])[:MOST_PODS]
