"""The place of one admitted request in the queue: an estimate at the door, its length once it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BYTES_PER_SECOND: Final = 16_000
"""Of an upload whose length is not known yet, for a second of audio: 128 kbit/s. WAV of a telephone or a microphone has
as much or twice of it, MP3, AAC and Opus of speech a half or less."""
MOST_ESTIMATED: Final = 30.0
"""Seconds that an upload counts for at most before it is decoded: one window. A large file may hold pictures, or be
compressed well, and the rows of others go on between its windows."""
FORESIGHT: Final = 8
"""An upload counts for as many times of what has come, up to its length: one that is only announced counts nothing."""
PAUSE_SECONDS: Final = 1.0
"""An upload that pauses for longer counts only for what has come, as one that comes more slowly than it plays."""


@dataclass(eq=False)
class QueuePlace:
    """One request, from the door on. Times are those of the clock that `since` was read from."""

    client: str
    since: float
    declared_bytes: int | None
    """None: a chunked body."""
    received_bytes: int = 0
    received_at: float = 0.0
    """When the last of them came."""
    is_received: bool = False
    """Whether the whole body is here."""
    seconds: float | None = None
    """Seconds of audio; None: it is not decoded yet."""
    accepted: float | None = None
    """When it was given to the model; None: not yet, or not any more."""
    is_waiting: bool = True
    """Until a row begins with it, or it is refused."""
    is_deferred: bool = False
    """Whether it is for a job, which waits elsewhere for as long as it takes."""

    def begin(self) -> None:
        """A row begins with the recording; called by the model's thread."""
        self.is_waiting = False

    def restart(self, now: float) -> None:
        """Notes that the recording is still to come, from another server, and that its size is not known yet."""
        self.since = self.received_at = now
        self.declared_bytes, self.received_bytes, self.is_received = None, 0, False

    def receive(self, size: int, now: float, *, is_last: bool) -> None:
        """Notes that `size` more bytes of the body are here."""
        self.received_bytes += size
        self.received_at, self.is_received = now, is_last

    def is_coming(self, now: float) -> bool:
        """Whether it will wait for a row soon: its body is here, or on its way."""
        if not self.is_waiting or self.accepted is not None:
            return False
        if self.is_received:
            return True
        whole = estimated_seconds(self.declared_bytes)
        return self._is_flowing(now) and estimated_seconds(self.received_bytes * FORESIGHT) >= whole

    def waiting_seconds(self, now: float) -> float:
        """The audio that waits in this place."""
        if not self.is_waiting:
            return 0.0
        if self.seconds is not None:
            return self.seconds
        ahead = self.received_bytes * (FORESIGHT if self._is_flowing(now) else 1)
        return estimated_seconds(ahead if self.declared_bytes is None else min(ahead, self.declared_bytes))

    def _is_flowing(self, now: float) -> bool:
        due = BYTES_PER_SECOND * (now - self.since - PAUSE_SECONDS)
        return not self.is_received and now - self.received_at <= PAUSE_SECONDS and self.received_bytes >= due


def estimated_seconds(size: int | None) -> float:
    """Seconds of audio that an upload of `size` bytes counts for before it is decoded; None: nothing is known."""
    return min((size or 0) / BYTES_PER_SECOND, MOST_ESTIMATED)
