"""What the operator and the front agree on: where servers are, and what waits for them."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SERVER: Final = re.compile(r"[A-Za-z0-9]([-.A-Za-z0-9]{0,251}[A-Za-z0-9])?:([1-9][0-9]{0,4})", re.ASCII)
"""A name or an address of IPv4, and a port."""
MOST_SERVERS: Final = 16
"""Names and addresses in WHISPER_SERVERS; a name may have any number of addresses."""


def check_servers(setting: str) -> str:
    """WHISPER_SERVERS as it is; raises ValueError, with the remedy, where it does not say where servers are."""
    found = setting.split(",")
    if len(found) > MOST_SERVERS:
        raise ValueError(f"names {len(found)} servers, and may name {MOST_SERVERS}: give them one name")
    for one in found:
        match = SERVER.fullmatch(one)
        if match is None or int(match[2]) > 65535:
            raise ValueError(f"{one[:100]!r} is no server: write host:port, or several with commas")
    return setting


class DemandReport(BaseModel):
    """The response at DEMAND_PATH: what this front has for servers to do, by which the operator wakes one."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    held_requests: Annotated[int, Field(ge=0)]
    """Requests that no server has: they wait for one, or their bodies are still coming."""
    held_bytes: Annotated[int, Field(ge=0)]
    """Bytes of their bodies that are here."""
    active_requests: Annotated[int, Field(ge=0)]
    """Requests that a server has, and has not answered to the end."""
    idle_seconds: Annotated[float, Field(ge=0)]
    """Since the last request ended; 0 while one is here. Since the start of the process where there was none."""
