"""What the operator and the runtime agree on: environment, ports, paths, metric names, reports.

The operator imports this module and nothing else of the runtime, so no name is typed twice.
It imports pydantic only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

HTTP_PORT: Final = 8000
METRICS_PORT: Final = 9000

HEALTH_PATH: Final = "/health"
STARTUP_PATH: Final = "/startup"
READY_PATH: Final = "/ready"
METRICS_PATH: Final = "/metrics"
PROGRESS_PATH: Final = "/progress"
"""Answered by a fetching pod on METRICS_PORT, with a FetchProgress."""
READY_PERIOD_SECONDS: Final = 5
READY_FAILURES: Final = 2
"""Of the probe of READY_PATH: for how long a pod that is not ready any more may still be sent clients."""

TRANSCRIPTIONS_METRIC: Final = "whisper_transcription_total"
TRANSCRIPTION_SECONDS_METRIC: Final = "whisper_transcription_duration_seconds"
AUDIO_SECONDS_METRIC: Final = "whisper_audio_duration_seconds"
REQUESTS_METRIC: Final = "whisper_requests_total"
QUEUED_AUDIO_METRIC: Final = "whisper_queued_audio_seconds"
REALTIME_FACTOR_METRIC: Final = "whisper_realtime_factor"
READY_METRIC: Final = "whisper_ready"
MODEL_LOAD_METRIC: Final = "whisper_model_load_seconds"
MODEL_INFO_METRIC: Final = "whisper_model_info"
OLDEST_WAIT_METRIC: Final = "whisper_oldest_wait_seconds"
SATURATION_METRIC: Final = "whisper_saturation_ratio"
STAGE_SECONDS_METRIC: Final = "whisper_stage_duration_seconds"
DEVICE_MEMORY_METRIC: Final = "whisper_device_memory_bytes"
USER_METRIC: Final = "whisper_process_user_id"
EGRESS_METRIC: Final = "whisper_egress_open"
BATCH_FILL_METRIC: Final = "whisper_batch_fill_ratio"
REJECTIONS_METRIC: Final = "whisper_rejections_total"
ERRORS_METRIC: Final = "whisper_errors_total"
AUTOSCALING_METRICS: Final = (SATURATION_METRIC, QUEUED_AUDIO_METRIC, OLDEST_WAIT_METRIC, REALTIME_FACTOR_METRIC)
"""What an autoscaler needs of each pod, the best one first."""
TRANSCRIPTION_SECONDS_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds in seconds; no alert can tell apart what is longer than the last."""
FETCHED_BYTES_METRIC: Final = "whisper_fetch_bytes"
FETCH_TOTAL_METRIC: Final = "whisper_fetch_total_bytes"
FETCH_SPEED_METRIC: Final = "whisper_fetch_bytes_per_second"
FETCH_LEFT_METRIC: Final = "whisper_fetch_left_seconds"

DEFAULT_MODEL_DIR: Final = "/app/models"
API_KEYS_DIR: Final = "/etc/whisper/api-keys"
SOURCE_CREDENTIALS_DIR: Final = "/etc/whisper/source"
"""A mounted Secret: `token`, or `username` and `password`, for http(s)://; the AWS_* keys for s3://."""
SOURCE_CA_FILE: Final = "/etc/whisper/source-ca/ca.crt"
SOURCE_CLAIM_DIR: Final = "/source"
"""Where the claim that a pvc:// URL names is mounted."""
SCRATCH_DIR: Final = "/tmp"
GOLDEN_DIR: Final = "/app/golden"
"""Holds `clip.wav` and `clip.txt`: the speech, and the words, that prove a model before it takes traffic."""
OWN_GOLDEN_DIR: Final = "/etc/whisper/golden"
"""The same of the user's own clip."""
API_KEY_FILE: Final = "/etc/whisper/verify/api-key"
"""One client's key, for the pod that verifies."""
TERMINATION_LOG: Final = "/dev/termination-log"
TERMINATION_MESSAGE_LIMIT: Final = 4096
"""Bytes of a termination message that the kubelet keeps."""

OFFICIAL_MODELS: Final[Mapping[str, str]] = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v1": "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large-v3-turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
    "turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
}
"""sha256 of each checkpoint that openai-whisper publishes (the digest in `whisper._MODELS`' URLs)."""

Device = Literal["auto", "cuda", "cpu"]
ComputeType = Literal["auto", "float16", "bfloat16", "float32"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "text"]

_ENV_NAMES: Final[Mapping[str, str]] = {
    "model": "WHISPER_MODEL",
    "model_dir": "MODEL_DIR",
    "model_url": "WHISPER_MODEL_URL",
    "model_sha256": "WHISPER_MODEL_SHA256",
    "model_credentials_dir": "WHISPER_MODEL_CREDENTIALS_DIR",
    "model_ca_file": "WHISPER_MODEL_CA_FILE",
    "port": "WHISPER_PORT",
    "base_path": "WHISPER_BASE_PATH",
    "metrics_port": "WHISPER_METRICS_PORT",
    "probes_on_http": "WHISPER_PROBES_ON_HTTP",
    "device": "WHISPER_DEVICE",
    "compute_type": "WHISPER_COMPUTE_TYPE",
    "language": "WHISPER_LANGUAGE",
    "max_upload_bytes": "WHISPER_MAX_UPLOAD_BYTES",
    "max_audio_seconds": "WHISPER_MAX_AUDIO_SECONDS",
    "request_timeout_seconds": "WHISPER_REQUEST_TIMEOUT_SECONDS",
    "max_queued_audio_seconds": "WHISPER_MAX_QUEUED_AUDIO_SECONDS",
    "max_batch_size": "WHISPER_MAX_BATCH_SIZE",
    "condition_on_previous_text": "WHISPER_CONDITION_ON_PREVIOUS_TEXT",
    "cors_allow_origins": "WHISPER_CORS_ALLOW_ORIGINS",
    "api_keys_dir": "WHISPER_API_KEYS_DIR",
    "golden_dir": "WHISPER_GOLDEN_DIR",
    "golden_max_word_error_rate": "WHISPER_GOLDEN_MAX_WORD_ERROR_RATE",
    "no_egress": "WHISPER_NO_EGRESS",
    "drain_seconds": "WHISPER_DRAIN_SECONDS",
    "log_level": "WHISPER_LOG_LEVEL",
    "log_format": "WHISPER_LOG_FORMAT",
    "max_scratch_bytes": "WHISPER_MAX_SCRATCH_BYTES",
    "requests_per_minute": "WHISPER_REQUESTS_PER_MINUTE",
    "audio_minutes_per_hour": "WHISPER_AUDIO_MINUTES_PER_HOUR",
}


class RuntimeConfig(BaseModel):
    """The whole configuration of a runtime process; every field is one environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str = Field(default="base", min_length=1)
    """A name of openai-whisper, any name with `WHISPER_MODEL_SHA256`, or the path of a checkpoint."""
    model_dir: str = DEFAULT_MODEL_DIR
    """Directory of the checkpoints: `fetch` writes here, `serve` reads."""
    model_url: str | None = None
    """Where `fetch` downloads from; unset: openai-whisper's own URL of that name."""
    model_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """What the checkpoint must hash to; unset: what openai-whisper publishes for that name, and of a path anything."""
    model_credentials_dir: str | None = None
    """A mounted Secret: `token`, or `username` and `password`; for s3 the AWS_* keys. Unset: without credentials."""
    model_ca_file: str | None = None
    """Certificates (PEM) that `fetch` trusts beside the system's own."""
    port: int = Field(default=HTTP_PORT, ge=1, le=65535)
    """Port for clients."""
    base_path: str = Field(default="", pattern="^(/[!-~]*[!-.0-~])?$")
    """A prefix that clients' paths may have, as behind a proxy that routes by path and does not rewrite."""
    metrics_port: int = Field(default=METRICS_PORT, ge=1, le=65535)
    """Port for the cluster: health, startup, readiness and metrics."""
    probes_on_http: bool = True
    """Serve health and metrics on the clients' port too, as a lone container wants; the operator says no."""
    device: Device = "auto"
    """What the model runs on; `auto`: a GPU where there is one."""
    compute_type: ComputeType = "auto"
    """Precision of the weights; `auto`: float16 on a GPU, float32 on a CPU."""
    language: str = "auto"
    """ISO-639-1 code for requests that name no language; `auto`: it is detected."""
    max_upload_bytes: int = Field(default=100 * 1024**2, gt=0)
    """The largest request body; a larger one gets 413."""
    max_audio_seconds: int = Field(default=4 * 3600, gt=0)
    """The longest recording; a longer one gets 413."""
    request_timeout_seconds: int = Field(default=300, gt=0)
    """The longest that a request may take; what cannot be transcribed in this time gets 413 at once."""
    max_queued_audio_seconds: int = Field(default=30 * 60, gt=0)
    """Audio that may wait for the model; beyond it 429 with `Retry-After`."""
    max_batch_size: int | None = Field(default=None, ge=1, le=256)
    """Windows of 30 s that are decoded together, where memory has room for them. Unset: 8 on a CPU, 64 on a GPU."""
    condition_on_previous_text: bool = True
    """Give the model what it heard so far as a prompt for the next window, as openai-whisper does."""
    cors_allow_origins: tuple[str, ...] = ()
    """Origins of web pages that may call this server, as a JSON list; `["*"]`: all."""
    api_keys_dir: str | None = None
    """A mounted Secret: each file is a client's name, its content that client's API key. Unset: no authentication."""
    golden_dir: str = GOLDEN_DIR
    """Directory of `clip.wav` and `clip.txt`, which the model must hear right before it serves."""
    golden_max_word_error_rate: float = Field(default=0.2, ge=0, le=1)
    """Share of the clip's words that may come out wrong."""
    no_egress: bool = False
    """`verify` fails where a server could connect to the Kubernetes API."""
    drain_seconds: int = Field(default=600, ge=0)
    """How long requests that are here may take to end after SIGTERM."""
    log_level: LogLevel = "info"
    """The least level that is logged."""
    log_format: LogFormat = "json"
    """One JSON object per line, or text for people."""
    max_scratch_bytes: int = Field(default=6 * 1024**3, gt=0)
    """Disk that uploads and decoded audio may take together, in TMPDIR; beyond it 503 with `Retry-After`."""
    requests_per_minute: int | None = Field(default=None, gt=0)
    """Requests that one client may send in a minute, by its API key, else its address. Unset: no limit."""
    audio_minutes_per_hour: int | None = Field(default=None, gt=0)
    """Minutes of audio that one client may send in an hour. Unset: no limit."""

    def to_env(self) -> dict[str, str]:
        """Environment variables for every field that is not at its default, so `from_env` gives `self` back."""
        values = self.model_dump(exclude_defaults=True, mode="json")
        return {"WHISPER_MODEL": self.model} | {_ENV_NAMES[field]: _encode(value) for field, value in values.items()}

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The configuration in `env`; raises pydantic.ValidationError, which names variable and value."""
        found = {field: env[name] for field, name in _ENV_NAMES.items() if env.get(name)}
        if origins := found.get("cors_allow_origins"):
            return cls.model_validate({**found, "cors_allow_origins": _decode(origins)})
        return cls.model_validate(found)


ENV_NAMES: Final = frozenset(_ENV_NAMES.values())
"""Every variable that the operator sets, and a user's `server.env` therefore may not."""


def _encode(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _decode(value: str) -> Any:
    """JSON's value; what is no JSON stays as it is, so that validation can name it."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def env_name(field: str) -> str:
    """The environment variable of a field of RuntimeConfig."""
    return _ENV_NAMES[field]


def expected_sha256(model: str, sha256: str | None) -> str | None:
    """The digest that the checkpoint must have: the one given, else the one that openai-whisper publishes."""
    return sha256 or OFFICIAL_MODELS.get(model)


def checkpoint_path(model_dir: str, model: str, sha256: str | None) -> str:
    """Where the cache keeps a checkpoint: two files of one name and different content never collide."""
    digest = expected_sha256(model, sha256)
    if digest is None:
        raise ValueError(f"model {model!r} is none of openai-whisper's: give its sha256, or the path of a checkpoint")
    return f"{model_dir}/{model}-{digest[:12]}.pt"


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
