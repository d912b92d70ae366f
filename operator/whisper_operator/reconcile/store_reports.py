"""Reads from the pods that serve whether they can use the store that they share: of a few of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.pod_reports import PodReports, ready_pods
from whisper_runtime.contract.network import STORE_PATH
from whisper_runtime.contract.shared_store import SharedStoreReport

ASK_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 120.0
MOST_PODS: Final = 5
"""Pods that are asked: they share one store and one URL, and differ by their nodes' network alone."""


class StoreReports:
    def __init__(self) -> None:
        self._pods = PodReports(STORE_PATH, SharedStoreReport, ask_seconds=ASK_SECONDS, silent_seconds=SILENT_SECONDS)

    async def read(self, pods: Sequence[Manifest]) -> Mapping[str, SharedStoreReport | None]:
        """The report of each pod, by its name; None where it does not answer (yet)."""
        reports = await asyncio.gather(*map(self._pods.read, pods))
        return dict(zip((pod["metadata"]["name"] for pod in pods), reports, strict=True))


def pods_to_ask(service: WhisperService, observed: Observed) -> list[Manifest]:
    """Ready pods of a service that shares a store."""
    if service.spec.redis is None:
        return []
    return sorted(ready_pods(observed, names.SERVER), key=lambda pod: pod["metadata"]["name"])[:MOST_PODS]
