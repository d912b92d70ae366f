"""What all of our streams of server-sent events have in common."""

from __future__ import annotations

from typing import Final

EVENT_STREAM_TYPE: Final = "text/event-stream"
KEEP_ALIVE_SECONDS: Final = 15.0
"""A quarter of the silence after which proxies usually give a connection up."""
KEEP_ALIVE: Final = b": waiting\n\n"
"""A comment, which every reader of events ignores."""
HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The second tells nginx to pass each event on at once."""
