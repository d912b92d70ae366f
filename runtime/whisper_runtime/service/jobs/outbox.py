"""Events that wait to be sent to the client of a job or of a batch, kept where the jobs are (ADR 45).

An end and its event are written together: whoever ends a job cannot forget the event. Nothing here assumes one
process: a claim lasts until its time is over, and is each time another attempt.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, Protocol

DeliveryState = Literal["pending", "delivered", "abandoned"]
"""abandoned: it was tried for a day, or its receiver is gone."""

CLAIM_SECONDS: Final = 30.0
"""An attempt whose outcome is not noted for so long is made again: its process has ended."""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one address. Times are Unix times in seconds."""

    event_id: str
    """The same for each attempt, so that a receiver knows an event that it has."""
    job_id: str
    """Of the job or the batch that has come to its end."""
    client: str
    """Whose it is."""
    type: str
    """Such as transcription.completed, or batch.completed."""
    url: str
    created: float
    """When it came to that end."""
    state: DeliveryState
    attempt: int
    """How often it was begun with; 0: not yet."""
    due: float
    """When it may be claimed, while it is pending."""
    failure: str | None
    """Why the last attempt failed, as clients read it; None: none did."""


class DeliveryOutbox(Protocol):
    """The verbs that note an outcome change nothing where the event was claimed anew, or its job is deleted."""

    async def claim(self, busy: Collection[str]) -> Delivery | None:
        """The event that is due for longest, of no client in `busy`, for CLAIM_SECONDS; None: none is due."""
        ...

    async def delivered(self, claimed: Delivery) -> None: ...

    async def postpone(self, claimed: Delivery, failure: str, seconds: float) -> None:
        """Has it claimed again after so many seconds."""
        ...

    async def abandon(self, claimed: Delivery, failure: str) -> None: ...

    async def latest(self, job_id: str) -> Delivery | None:
        """The last event of that job or batch; None: it has none, or did not ask for any."""
        ...

    async def close(self) -> None: ...
