"""The reports of `fetch` and `verify` to the operator, as JSON."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT

FETCHED: Final = "Fetched"
ALREADY_CACHED: Final = "AlreadyCached"
CACHE_NOT_WRITABLE: Final = "CacheNotWritable"
CHECKSUM_MISMATCH: Final = "ChecksumMismatch"
DOWNLOAD_FAILED: Final = "DownloadFailed"
NOT_A_CHECKPOINT: Final = "NotACheckpoint"
NO_SPACE: Final = "NoSpace"
UNKNOWN_MODEL: Final = "UnknownModel"

MAX_FILES: Final = 20
"""Files of a full cache that a report names at most, so that it stays within a termination message."""
MAX_CACHE_FILES: Final = 200
"""Checkpoints that a CacheReport names at most."""
MAX_CHECKS: Final = 64
"""Checks of a verification at most."""


class FetchReport(BaseModel):
    """The termination message of `fetch`, as JSON; the operator puts it into status."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    reason: str
    """`Fetched` or `AlreadyCached` where the checkpoint is there; else one of the causes above."""
    message: str
    digest: str | None = None
    """sha256 of the file in hex; None: no file was obtained."""
    bytes: int | None = None
    files: dict[str, int] = Field(default_factory=dict[str, int])
    """Size in bytes of each checkpoint in a cache that is full, largest first, at most MAX_FILES."""

    @property
    def succeeded(self) -> bool:
        return self.reason in (FETCHED, ALREADY_CACHED)

    def to_json(self, limit: int = TERMINATION_MESSAGE_LIMIT) -> str:
        """JSON of at most `limit` bytes; where it would be longer, the message is cut and fewer files are named."""
        for longest, count in ((4000, MAX_FILES), (2000, MAX_FILES), (1000, 10), (500, 5)):
            files = dict(list(self.files.items())[:count])
            cut = self.model_copy(update={"message": self.message[:longest], "files": files})
            if len((found := cut.model_dump_json(exclude_defaults=True)).encode()) <= limit:
                return found
        return self.model_copy(update={"message": self.message[:100], "files": {}}).model_dump_json()


class JobsReport(BaseModel):
    """What waits as jobs: the response at JOBS_REPORT_PATH."""

    model_config = ConfigDict(frozen=True)

    queued_audio_seconds: float
    """Of jobs that no worker has begun with."""
    oldest_queued: float | None
    """Unix time at which the oldest of them was accepted; None: there is none."""
    unended: int | None = None
    """Jobs and batches that have not ended, and that only a pod can end; None: the server does not know, or is of an
    earlier release."""
    age_seconds: float = 0.0
    """Since the store was looked at."""


class CacheReport(BaseModel):
    """What a cache of checkpoints holds: the response at CACHE_PATH."""

    model_config = ConfigDict(frozen=True)

    files: dict[str, int]
    """Size in bytes of each checkpoint, largest first, at most MAX_CACHE_FILES."""
    total_bytes: int
    """Of the volume."""
    free_bytes: int


class FetchProgress(BaseModel):
    """The progress of a fetch: the response at PROGRESS_PATH."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    bytes: int
    total: int | None = None
    """None where the source does not declare it."""
    bytes_per_second: int | None = None
    """Over the last seconds; None before there is anything to measure."""
    problem: str | None = None
    """The failure of the last attempt, while the fetch tries again; None: it did not fail."""

    @property
    def seconds_left(self) -> int | None:
        """Seconds until all is there at that speed; None where size or speed is not known."""
        if not self.bytes_per_second or self.total is None:
            return None
        return max(0, self.total - self.bytes) // self.bytes_per_second


class CheckResult(BaseModel):
    """The outcome of one check of `verify`."""

    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool
    message: str = ""


class Performance(BaseModel):
    """The speed at which the golden clip was transcribed."""

    model_config = ConfigDict(frozen=True)

    requests: int
    concurrency: int
    p50_seconds: float
    p95_seconds: float
    realtime_factor: float
    """Seconds of audio transcribed in a second, all requests together."""
    load_seconds: float | None = None
    """Seconds from a pod's start to its readiness; None, as all below, where the metrics do not have it."""
    device: str | None = None
    """Device of the pod's model: cpu, or the name of the GPU."""
    compute_type: str | None = None
    """Precision of the model."""
    memory_bytes: int | None = None
    """Bytes of GPU memory that the model holds."""
    processor: str | None = None
    """Processor that the model runs on, with its flags; None, as below, unless it runs in bfloat16 on a CPU."""
    bfloat16_speed: float | None = None
    """Speed of that processor's products in bfloat16, by that in float32."""


def _named_once(checks: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    if len({check.name for check in checks}) < len(checks):
        raise ValueError("two checks have the same name")
    return checks


class VerifyReport(BaseModel):
    """The termination message of `verify`, as JSON; the operator puts it into status."""

    model_config = ConfigDict(frozen=True)

    checks: Annotated[tuple[CheckResult, ...], Field(max_length=MAX_CHECKS), AfterValidator(_named_once)]
    """Each by a name of its own."""
    performance: Performance | None = None
    """None: no request of the measurement got an answer."""
    requests: int
    """Requests that the verification sent."""
    busy: str | None = None
    """Why it ended before all checks were made: the server had no room for them. None: they all were."""

    @property
    def passed(self) -> bool:
        return self.busy is None and all(check.passed for check in self.checks)

    def to_json(self, limit: int = TERMINATION_MESSAGE_LIMIT) -> str:
        """JSON of at most `limit` bytes; where it would be longer, messages are cut, those of passed checks first."""
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
