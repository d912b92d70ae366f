"""What becomes of a request that a server has not answered; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.front.servers import ServerAddress

MOST_LOST: Final = 3
"""Servers that a request may be lost at: it may be what ends them."""
LEAVING: Final = frozenset({"shutting_down", "model_not_ready"})
"""Codes of a server that refuses whatever comes, at its door: it is not there any more, or not yet."""
NO_SERVER_RETRY_AFTER: Final = 30


@dataclass
class TriedServers:
    """The servers that one request was sent to."""

    lost: int = 0
    """How many of them were lost with it."""
    refused_by: set[ServerAddress] = field(default_factory=set[ServerAddress])
    """Those with no room for it; it is not sent there again."""

    def lose(self, *, is_repeatable: bool) -> HttpError | None:
        """Counts a server that was lost with the request; 502 where no other may be given it, None: another may."""
        self.lost += 1
        if not is_repeatable:
            message = (
                "The server ended before it answered, and may have done what the request asks for: look whether it "
                "has, and send the request again if not. With the header Idempotency-Key, a job is never made twice."
            )
            return HttpError(502, message, code="server_lost")
        if self.lost < MOST_LOST:
            return None
        message = f"{self.lost} servers ended, one after the other, before they had answered this request."
        return HttpError(502, message, code="servers_lost")


def goes_to_another(code: str | None, *, is_repeatable: bool, has_others: bool) -> bool:
    """Whether a request that got 503 with this code is sent to another server; else its client gets that answer.

    `has_others`: a server is ready that has not refused it. One at whose door nothing comes in has done nothing with
    it, and the request may as well wait for the next one.
    """
    return code in LEAVING or (is_repeatable and has_others)


def no_server(seconds: float) -> HttpError:
    """503 for a request that has waited for so many seconds."""
    message = (
        f"No server became ready within {seconds:.0f} s: it is being started, or cannot start. Try again in "
        f"{NO_SERVER_RETRY_AFTER} s."
    )
    return unavailable(message, "no_server", NO_SERVER_RETRY_AFTER)
