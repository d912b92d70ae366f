"""Reads the progress of fetches from their pods: seldom, and shown more seldom still, for each change is a write."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import aiohttp
from pydantic import ValidationError

from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.network import METRICS_PORT, PROGRESS_PATH
from whisper_runtime.contract.reports import FetchProgress

ASK_SECONDS: Final = 4.0
SHOW_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 2
NO_TIMER: Final = aiohttp.ClientTimeout(total=None)
"""No timer of aiohttp's: its end swallows a cancellation that comes at the same moment (kube/client.py)."""
LONGEST_ANSWER: Final = 16 * 1024
REMEMBERED: Final = 1024
log = logging.getLogger(__name__)


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
        seen = before if before and now - before.asked < ASK_SECONDS else follow(before, await ask(pod), now)
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


async def ask(pod: Manifest) -> FetchProgress | None:
    """The pod's answer; None where it gives none, or one that no fetch gives."""
    address = ipaddress.ip_address(pod["status"]["podIP"])
    host = f"[{address}]" if address.version == 6 else str(address)
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            aiohttp.ClientSession(timeout=NO_TIMER) as session,
            session.get(f"http://{host}:{METRICS_PORT}{PROGRESS_PATH}", allow_redirects=False) as response,
        ):
            return FetchProgress.model_validate_json(await response.content.read(LONGEST_ANSWER))
    except (TimeoutError, aiohttp.ClientError, ValidationError) as error:
        log.debug("pod %s did not answer with its progress: %s", pod["metadata"]["name"], error)
        return None
