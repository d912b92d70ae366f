"""What the front and the operator agree on: its own settings, its spool, and what it reports of requests."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SERVERS_VARIABLE: Final = "WHISPER_SERVERS"
"""Host and port of the pods that serve; the addresses of the host are those of the ready ones."""
SPOOL_DIR_VARIABLE: Final = "WHISPER_SPOOL_DIR"
SPOOL_BYTES_VARIABLE: Final = "WHISPER_SPOOL_BYTES"
SPOOL_DIR: Final = "/var/spool/whisper"
"""Mount path of the directory for recordings that wait or are under way."""
DEMAND_PATH: Final = "/demand"
"""A pod of the front answers it on METRICS_PORT, with a DemandReport."""


class DemandReport(BaseModel):
    """What clients want of a pod of the front now: the response at DEMAND_PATH."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    held_requests: Annotated[int, Field(ge=0)]
    """Requests that wait for a pod that serves."""
    held_bytes: Annotated[int, Field(ge=0)]
    """Bytes of their recordings in the spool."""
    active_requests: Annotated[int, Field(ge=0)]
    """Requests that a pod which serves has been sent."""
    idle_seconds: Annotated[float, Field(ge=0)]
    """Time since the last request ended, or since the process began; 0 while one is held or active."""
