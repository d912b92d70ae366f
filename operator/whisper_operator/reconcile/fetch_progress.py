"""Reads the progress of fetches from their pods: seldom, and shown more seldom still, for each change is a write."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.reconcile.pod_questions import ask
from whisper_runtime.contract.network import PROGRESS_PATH
from whisper_runtime.contract.reports import FetchProgress

ASK_SECONDS: Final = 4.0
SHOW_SECONDS: Final = 10.0
REMEMBERED: Final = 1024


@dataclass(frozen=True)
class Reading:
    asked: float
    shown_since: float
    shown: FetchProgress | None


class ProgressReader:
    def __init__(self) -> None:
        self._seen: OrderedDict[str, Reading] = OrderedDict()
        """By the pod's uid."""

    async def read(self, pod: Manifest) -> FetchProgress | None:
        """The progress to show of the fetch in `pod`; None where it does not answer (yet)."""
        uid, now = pod["metadata"]["uid"], time.monotonic()
        before = self._seen.pop(uid, None)
        if before and now - before.asked < ASK_SECONDS:
            seen = before
        else:
            seen = follow(before, await ask(pod, PROGRESS_PATH, FetchProgress), now)
        self._seen[uid] = seen
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return seen.shown


def follow(before: Reading | None, found: FetchProgress | None, now: float) -> Reading:
    """The next reading after `found`: a new problem shows at once, other changes after SHOW_SECONDS."""
    if before is None or before.shown is None or found is None or found.problem != before.shown.problem:
        return Reading(now, now, found)
    is_due = now - before.shown_since >= SHOW_SECONDS
    return Reading(now, now, found) if is_due else Reading(now, before.shown_since, before.shown)
