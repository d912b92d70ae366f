"""Asks a pod of ours, on its port for the cluster, for a report as JSON."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Final, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.network import METRICS_PORT

ANSWER_SECONDS: Final = 2
NO_TIMER: Final = aiohttp.ClientTimeout(total=None)
"""No timer of aiohttp's: its end swallows a cancellation that comes at the same moment (kube/client.py)."""
LONGEST_ANSWER: Final = 16 * 1024
R = TypeVar("R", bound=BaseModel)
log = logging.getLogger(__name__)


async def ask(pod: Manifest, path: str, report: type[R]) -> R | None:
    """The pod's report at `path`; None where it gives none, or something else."""
    address = ipaddress.ip_address(pod["status"]["podIP"])
    host = f"[{address}]" if address.version == 6 else str(address)
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            aiohttp.ClientSession(timeout=NO_TIMER) as session,
            session.get(f"http://{host}:{METRICS_PORT}{path}", allow_redirects=False) as response,
        ):
            return report.model_validate_json(await response.content.read(LONGEST_ANSWER))
    except (TimeoutError, aiohttp.ClientError, ValidationError) as error:
        log.debug("pod %s did not answer %s: %s", pod["metadata"]["name"], path, error)
        return None
