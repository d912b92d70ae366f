"""Limits that a proxy before a service must allow, so that clients get the service's own answer. Pure.

The runtime gives an upload `requestTimeout` and the work on it as long again, and answers 408 or 504 with the remedy. A
proxy with the same time-out would be first, with a bare 504 that clients send again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.units import duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_runtime.contract.network import BALANCER_PATH

MARGIN_SECONDS: Final = 15
"""For the way between proxy and pod, and for clocks that start when the last byte is sent or when it is parsed."""


@dataclass(frozen=True)
class ProxyLimits:
    silent_seconds: int
    """The longest time without a byte of the answer, once the request has been sent."""
    whole_seconds: int
    """The longest time from the first byte of the request to the last of the answer."""
    body_bytes: int
    health_path: str
    """For proxies that ask the pods themselves, on the port for clients."""


def proxy_limits(service: WhisperService) -> ProxyLimits:
    seconds = duration_seconds(service.spec.server.request_timeout)
    return ProxyLimits(
        silent_seconds=seconds + MARGIN_SECONDS,
        whole_seconds=2 * seconds + MARGIN_SECONDS,
        body_bytes=size_bytes(service.spec.server.max_upload_size),
        health_path=f"{service.spec.base_path}{BALANCER_PATH}",
    )
