"""The failures of a request to a server that a client names."""

from __future__ import annotations

from typing import Literal

OutboundReason = Literal["Invalid", "NotAllowed", "NotReadable", "Failed", "TooSlow"]
"""Invalid: it is not a URL. NotAllowed: no connection was made. NotReadable: the server does not give it. Failed: the
server, or the way to it, is broken now. TooSlow: it took too long."""


class OutboundError(Exception):
    """`problem` goes on after the URL's name, as in "`url` is on a server that …"; it says no address and no query."""

    def __init__(self, reason: OutboundReason, problem: str) -> None:
        super().__init__(problem)
        self.reason: OutboundReason = reason
        self.problem = problem
