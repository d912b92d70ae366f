"""One attempt to deliver an event, and what its outcome means."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from whisper_runtime.service.jobs.outbox import Delivery
from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.webhooks.events import event_body
from whisper_runtime.service.webhooks.signature import BadSecret, read_secrets, signed_headers

if TYPE_CHECKING:  # it imports httpx, which takes a tenth of a second, and is wanted where webhooks are sent alone
    from whisper_runtime.service.outbound.post import Posted
    from whisper_runtime.service.outbound.transport import GuardedTransport

FIELD: Final = "webhook_url"
DeliveryOutcome = Literal["delivered", "failed", "gone"]
"""gone: the receiver wants no more of it."""


@dataclass(frozen=True)
class DeliveryAttempt:
    outcome: DeliveryOutcome
    failure: str = ""
    """A sentence for the job's client; it says no address and nothing of the body that came back."""
    retry_after: float | None = None
    """Seconds after which the receiver wants to be asked again; None: it does not say."""


DELIVERED: Final = DeliveryAttempt("delivered")
UNSIGNED: Final = DeliveryAttempt("failed", "The server has no secret to sign events by: tell its operator.")

log = logging.getLogger(__name__)


async def attempt(transport: GuardedTransport, secrets_dir: Path, delivery: Delivery) -> DeliveryAttempt:
    """Signs the event and sends it once."""
    from whisper_runtime.service.outbound.post import post

    try:
        keys = await asyncio.to_thread(read_secrets, secrets_dir)
        body = event_body(delivery)
        headers = signed_headers(keys, delivery.event_id, int(time.time()), body)
        return judged(await post(transport, delivery.url, body, headers))
    except BadSecret as error:
        log.error("no event can be sent: %s", error)
        return UNSIGNED
    except OutboundError as error:
        return DeliveryAttempt("failed", f"`{FIELD}` {error.problem}.")


def judged(posted: Posted) -> DeliveryAttempt:
    """What an answer says of the event; any status but 2xx and 410 may be another one the next time."""
    status = posted.status
    if 200 <= status < 300:
        return DELIVERED
    if status == 410:
        return DeliveryAttempt("gone", f"`{FIELD}` answered 410, so that it gets this event no more.")
    if 300 <= status < 400:
        return DeliveryAttempt(
            "failed", f"`{FIELD}` answered {status}, and redirects are not followed: send its final address."
        )
    return DeliveryAttempt("failed", f"`{FIELD}` answered {status}.", posted.retry_after)
