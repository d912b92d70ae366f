"""What the front, the servers and the operator agree on: where servers are, what they have left, who waits."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, computed_field
from pydantic.alias_generators import to_camel

SERVER: Final = re.compile(
    r"[A-Za-z0-9]([-.A-Za-z0-9]{0,251}[A-Za-z0-9])?:([1-9][0-9]{0,4})(?::([1-9][0-9]{0,4}))?", re.ASCII
)
"""A name or an address of IPv4, the port for clients, and that for the cluster where it is not METRICS_PORT."""
LAST_PORT: Final = 65535
MOST_SERVERS: Final = 16
"""Names and addresses in WHISPER_SERVERS; a name may have any number of addresses."""


def check_servers(setting: str) -> str:
    """WHISPER_SERVERS as it is; raises ValueError, with the remedy, where it does not say where servers are."""
    found = setting.split(",")
    if len(found) > MOST_SERVERS:
        raise ValueError(f"names {len(found)} servers, and may name {MOST_SERVERS}: give them one name")
    for one in found:
        match = SERVER.fullmatch(one)
        if match is None or any(int(port or 0) > LAST_PORT for port in match.group(2, 3)):
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
    refused_requests: Annotated[int, Field(ge=0)] = 0
    """Requests that were refused in the last seconds since no server was there, or would have been in time."""
    held_audio_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Seconds of audio that no server has, by the size of uploads."""
    held_wait_seconds: Annotated[float, Field(ge=0)] = 0.0
    """For which that keeps one server busy; 0 where nobody knows how fast one is."""
    idle_seconds: Annotated[float, Field(ge=0)]
    """Since the last request ended; 0 while one is here. Since the start of the process where there was none."""

    @computed_field
    @property
    def wanted_requests(self) -> int:
        """All of them, for whoever scales by one number."""
        return self.held_requests + self.active_requests + self.refused_requests


class WakeForecast(BaseModel):
    """The body of a POST to DEMAND_PATH: what the operator knows of the first server, while none is ready."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    expected_seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """From now until it is ready; None: not known."""
    audio_speed: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Seconds of audio that one server transcribes in a second, as was measured; None: not known."""
    cannot_come: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """Why none can come, as a sentence for clients; None: nothing is known against it."""


class LoadReport(BaseModel):
    """The response at LOAD_PATH: what a server has left, by which the front gives it requests."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    is_ready: bool
    """Whether it takes requests, as READY_PATH says."""
    queued_audio_seconds: Annotated[float, Field(ge=0)]
    """Seconds of audio that wait for a row of the batch, or are on their way to one."""
    free_rows: Annotated[int, Field(ge=0)]
    """Rows of the batch that nothing waits for."""
    queue_limit_seconds: Annotated[float, Field(ge=0)]
    """Seconds of audio that may wait; beyond it the server refuses more."""
    speed: Annotated[float, Field(gt=0)]
    """Seconds of audio that all rows together transcribe in a second."""
