"""Asks a pod of ours, on its port for the cluster, for a report as JSON."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.network import METRICS_PORT

ANSWER_SECONDS: Final = 2
NO_TIMER: Final = aiohttp.ClientTimeout(total=None)
"""No timer of aiohttp's: its end swallows a cancellation that comes at the same moment (kube/client.py)."""
LONGEST_ANSWER: Final = 16 * 1024
JSON: Final = {"content-type": "application/json"}
R = TypeVar("R", bound=BaseModel)
log = logging.getLogger(__name__)


async def ask(pod: Manifest, path: str, report: type[R], news: BaseModel | None = None) -> R | None:
    """The pod's report at `path`; None where it gives none, or something else.

    `news`: what the pod is handed with the question; one of an earlier release, which takes nothing, is asked without.
    """
    address = ipaddress.ip_address(pod["status"]["podIP"])
    host = f"[{address}]" if address.version == 6 else str(address)
    url = f"http://{host}:{METRICS_PORT}{path}"
    try:
        async with asyncio.timeout(ANSWER_SECONDS), aiohttp.ClientSession(timeout=NO_TIMER) as session:
            if news is None:
                return await _answer(session.get(url, allow_redirects=False), report)
            body = news.model_dump_json(by_alias=True)
            post = session.post(url, data=body, headers=JSON, allow_redirects=False)
            return await _answer(post, report) or await _answer(session.get(url, allow_redirects=False), report)
    except (TimeoutError, aiohttp.ClientError, ValidationError) as error:
        log.debug("pod %s did not answer %s: %s", pod["metadata"]["name"], path, error)
        return None


async def _answer(asking: AbstractAsyncContextManager[aiohttp.ClientResponse], report: type[R]) -> R | None:
    """None where the pod has nothing at that path that takes such a request. Raises ValidationError."""
    async with asking as response:
        if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
            return None
        return report.model_validate_json(await response.content.read(LONGEST_ANSWER))
