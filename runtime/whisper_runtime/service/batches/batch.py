"""A batch: a file of requests, each of which becomes a job; the answers become files, in the order of the lines."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

BatchState = Literal[
    "validating", "in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled"
]
"""OpenAI's. `failed`: its file is wrong, and none of it was begun."""
LIVE_BATCH: Final[frozenset[BatchState]] = frozenset({"validating", "in_progress", "finalizing", "cancelling"})
"""The states in which a batch still needs its file."""
LineOutcome = Literal["completed", "failed"]
BatchOutcome = Literal["completed", "expired"]


@dataclass(frozen=True)
class LineFault:
    """What is wrong with a batch's file, or with a line of it."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None
    """The number of the line, from 1 on; None: it is all of the file."""


@dataclass(frozen=True)
class BatchDraft:
    """What a client asks for."""

    client: str
    """The name of who sent it; nobody else sees the batch."""
    endpoint: str
    """The path that each line is a request to."""
    input_file: str
    """The id of the file that has the lines."""
    window: str
    """The time that it may take, as the client writes it: `24h`."""
    window_seconds: float
    keep_seconds: float
    """Seconds for which its answers are kept."""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    webhook_url: str | None = None
    """Where its end is to be told; None: nowhere."""


@dataclass(frozen=True)
class StoredBatch(BatchDraft):
    """A batch as its store has it. Times are Unix times in seconds; None: not yet, or never."""

    id: str = ""
    state: BatchState = "validating"
    created: float = 0.0
    expires: float = 0.0
    """The end of its window."""
    began: float | None = None
    finalizing: float | None = None
    cancelling: float | None = None
    ended: float | None = None
    total: int = 0
    """The lines that it has; 0: they are not counted yet."""
    completed: int = 0
    failed: int = 0
    """The lines that have an answer, which is a transcription or an error."""
    output_file: str | None = None
    error_file: str | None = None
    """The ids of its answers; None: there is none of the kind."""
    faults: tuple[LineFault, ...] = ()
    """Why it failed."""
    losses: int = 0
    """How often a process ended while it had the batch: one of its lines may be the cause."""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_BATCH


@dataclass(frozen=True)
class LineAnswer:
    """The answer to one line of a batch."""

    line: int
    text: str
    """A line of the output or the error file, without its end."""
    is_error: bool


@dataclass(frozen=True)
class BatchLease:
    """One process's right to change a batch, until it runs out or the batch is somebody else's."""

    batch_id: str
    token: int
    """Grows with each claim (a fencing token)."""


@dataclass(frozen=True)
class ClaimedBatch:
    lease: BatchLease
    batch: StoredBatch


@dataclass(frozen=True)
class BatchPage:
    """A part of a client's batches, newest first."""

    batches: tuple[StoredBatch, ...]
    has_more: bool


class NoSuchBatch(Exception):
    """The client has no batch of this id: it never had one, or it is forgotten."""


class BatchLeaseLost(Exception):
    """Another process has the batch, or it has ended."""


def new_batch_id() -> str:
    return f"batch_{secrets.token_hex(16)}"
