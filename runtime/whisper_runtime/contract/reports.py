"""What `fetch` and `verify` report to the operator, as JSON."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT

FETCHED: Final = "Fetched"
ALREADY_CACHED: Final = "AlreadyCached"
CACHE_NOT_WRITABLE: Final = "CacheNotWritable"
CHECKSUM_MISMATCH: Final = "ChecksumMismatch"
DOWNLOAD_FAILED: Final = "DownloadFailed"
NOT_A_CHECKPOINT: Final = "NotACheckpoint"
NO_SPACE: Final = "NoSpace"
UNKNOWN_MODEL: Final = "UnknownModel"

FILES_TOLD: Final = 20
"""Files of a full cache that a report names, so that it stays within a termination message."""


class FetchReport(BaseModel):
    """What `fetch` writes as its termination message, as JSON; the operator puts it into status."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    reason: str
    """`Fetched` or `AlreadyCached` where the checkpoint is there; else one of the causes above."""
    message: str
    digest: str | None = None
    """sha256 of the file in hex, None where none was obtained."""
    bytes: int | None = None
    files: dict[str, int] = Field(default_factory=dict[str, int])
    """Size in bytes of each checkpoint in a cache that is full, largest first, at most FILES_TOLD."""

    @property
    def succeeded(self) -> bool:
        return self.reason in (FETCHED, ALREADY_CACHED)

    def to_json(self, limit: int = TERMINATION_MESSAGE_LIMIT) -> str:
        """JSON of at most `limit` bytes: where it must be, the message is cut, and fewer files are named."""
        for longest, count in ((4000, FILES_TOLD), (2000, FILES_TOLD), (1000, 10), (500, 5)):
            files = dict(list(self.files.items())[:count])
            cut = self.model_copy(update={"message": self.message[:longest], "files": files})
            if len((found := cut.model_dump_json(exclude_defaults=True)).encode()) <= limit:
                return found
        return self.model_copy(update={"message": self.message[:100], "files": {}}).model_dump_json()


class FetchProgress(BaseModel):
    """How far a fetch is: the answer at PROGRESS_PATH."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    bytes: int
    total: int | None = None
    """None where the server does not tell."""
    bytes_per_second: int | None = None
    """Over the last seconds; None before there is anything to measure."""
    problem: str | None = None
    """Why the last attempt failed, while it is tried again."""

    @property
    def seconds_left(self) -> int | None:
        """Until all is there at that speed; None where that cannot be told."""
        if not self.bytes_per_second or self.total is None:
            return None
        return max(0, self.total - self.bytes) // self.bytes_per_second


class Check(BaseModel):
    """One thing that `verify` tried."""

    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool
    message: str = ""


class Performance(BaseModel):
    """How fast the golden clip came back."""

    model_config = ConfigDict(frozen=True)

    requests: int
    concurrency: int
    p50_seconds: float
    p95_seconds: float
    realtime_factor: float
    """Seconds of audio transcribed in a second, all requests together."""
    load_seconds: float | None = None
    """Seconds from a pod's start to its readiness; None, as all below, where the metrics do not tell."""
    device: str | None = None
    """What the pod's model runs on: cpu, or the name of the GPU."""
    compute_type: str | None = None
    """Precision that it runs in."""
    memory_bytes: int | None = None
    """Memory of the GPU that it holds."""


class VerifyReport(BaseModel):
    """What `verify` writes as its termination message, as JSON; the operator puts it into status."""

    model_config = ConfigDict(frozen=True)

    checks: tuple[Check, ...]
    performance: Performance | None = None
    """None: no request of the measurement was answered."""
    requests: int
    """How many requests the verification spent."""

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def to_json(self, limit: int = TERMINATION_MESSAGE_LIMIT) -> str:
        """JSON of at most `limit` bytes: messages are cut where they must be, those of passed checks first."""
        for passed, failed in ((1000, 1000), (60, 400), (0, 400), (0, 100)):
            found = self._cut(passed, failed).model_dump_json(exclude_none=True)
            if len(found.encode()) <= limit:
                return found
        return self._cut(0, 0).model_dump_json(exclude_none=True)

    def _cut(self, passed: int, failed: int) -> Self:
        cut = [
            check.model_copy(update={"message": check.message[: passed if check.passed else failed]})
            for check in self.checks
        ]
        return self.model_copy(update={"checks": tuple(cut)})
