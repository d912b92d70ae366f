"""The types of a runtime process's settings: what a value may be, and why not."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from whisper_runtime.contract.models import MODEL_ALIAS_LENGTH, MODEL_ALIAS_PATTERN
from whisper_runtime.contract.outbound import ALLOWED_HOST_LENGTH, ALLOWED_HOST_PATTERN

Device = Literal["auto", "cuda", "cpu"]
ComputeType = Literal["auto", "float16", "bfloat16", "float32"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "text"]
CacheScope = Literal["client", "service"]
JobsStore = Literal["directory", "redis"]


def _network(value: str) -> str:
    if ip_network(value, strict=False).prefixlen == 0:
        raise ValueError("trusts every address, so that a client may call itself anything: name your proxies' networks")
    return value


def _private_network(value: str) -> str:
    if ip_network(value, strict=False).prefixlen == 0:
        raise ValueError("permits every address, and so the cluster's own and the cloud's metadata: name the networks")
    return value


Network = Annotated[str, AfterValidator(_network)]
"""An address, or a network such as 10.0.0.0/8; not all addresses."""

PrivateNetwork = Annotated[str, AfterValidator(_private_network)]
"""An address, or a network such as 10.20.0.0/16; not all addresses."""
AllowedHostEntry = Annotated[str, Field(pattern=ALLOWED_HOST_PATTERN, max_length=ALLOWED_HOST_LENGTH)]

ModelAlias = Annotated[str, Field(pattern=MODEL_ALIAS_PATTERN, max_length=MODEL_ALIAS_LENGTH)]
