"""Reads from the pods that serve whether they can use the store that they share: of a few of them."""

from __future__ import annotations

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


def store_reports() -> PodReports[SharedStoreReport]:
    return PodReports(STORE_PATH, SharedStoreReport, ask_seconds=ASK_SECONDS, silent_seconds=SILENT_SECONDS)


def pods_to_ask(service: WhisperService, observed: Observed) -> list[Manifest]:
    """Ready pods of a service that shares a store."""
    if service.spec.redis is None:
        return []
    return sorted(ready_pods(observed, names.SERVER), key=lambda pod: pod["metadata"]["name"])[:MOST_PODS]
