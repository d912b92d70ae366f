"""The outbox in the store of SharedJobStore: the program that ends a job writes its event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from whisper_runtime.service.jobs.outbox import CLAIM_SECONDS, Delivery, DeliveryState
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs, table_of


class SharedOutbox:
    """See outbox.DeliveryOutbox; each verb may raise JobStoreAway, too."""

    def __init__(self, verbs: SharedVerbs, *, claim_seconds: float = CLAIM_SECONDS) -> None:
        self._verbs, self._claim_seconds = verbs, claim_seconds

    async def claim(self, busy: Collection[str]) -> Delivery | None:
        return _delivery(await self._verbs.call("claim_event", self._claim_seconds, *busy))

    async def delivered(self, claimed: Delivery) -> None:
        await self._note(claimed, "delivered", "", 0.0)

    async def postpone(self, claimed: Delivery, failure: str, seconds: float) -> None:
        await self._note(claimed, "pending", failure, seconds)

    async def abandon(self, claimed: Delivery, failure: str) -> None:
        await self._note(claimed, "abandoned", failure, 0.0)

    async def latest(self, job_id: str) -> Delivery | None:
        return _delivery(await self._verbs.call("latest_event", job_id))

    async def close(self) -> None:
        """The store of jobs closes what both use."""

    async def _note(self, claimed: Delivery, state: DeliveryState, failure: str, seconds: float) -> None:
        await self._verbs.call("note_event", claimed.event_id, str(claimed.attempt), state, seconds, failure)


def _delivery(found: Sequence[Any]) -> Delivery | None:
    """None: none was found."""
    if not found:
        return None
    values = table_of(found[0])
    return Delivery(
        event_id=values["event_id"],
        job_id=values["job_id"],
        client=values["client"],
        type=values["type"],
        url=values["url"],
        created=float(values["created"]),
        state=cast(DeliveryState, values["state"]),
        attempt=int(values["attempt"]),
        due=float(values["due"]),
        failure=values.get("failure"),
    )
