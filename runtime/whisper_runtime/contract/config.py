"""The configuration of a runtime process: every field is one environment variable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from whisper_runtime.contract.config_types import (
    AllowedHostEntry,
    CacheScope,
    ComputeType,
    Device,
    JobsStore,
    LogFormat,
    LogLevel,
    ModelAlias,
    Network,
    PrivateNetwork,
)
from whisper_runtime.contract.files import DEFAULT_MODEL_DIR, PACKAGED_GOLDEN_DIR
from whisper_runtime.contract.front import check_servers
from whisper_runtime.contract.languages import REMEDY, REMEDY_OR_AUTO, code_of, is_auto, unknown
from whisper_runtime.contract.network import HTTP_PORT, METRICS_PORT


def _code(word: str, remedy: str) -> str:
    if code := code_of(word):
        return code
    raise ValueError(unknown(word, remedy))


class RuntimeConfig(BaseModel):
    """The whole configuration of a runtime process."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str = Field(default="base", min_length=1)
    """A name of openai-whisper, any name with `WHISPER_MODEL_SHA256`, or the path of a checkpoint."""
    model_aliases: tuple[ModelAlias, ...] = ()
    """Further names by which clients may call the model, as a JSON list; OpenAI's names are taken without it."""
    model_dir: str = DEFAULT_MODEL_DIR
    """Directory of the checkpoints: `fetch` writes here, `serve` reads."""
    model_image_dir: str | None = None
    """Directory at which an image is mounted that has the checkpoint, at its root or below `models`: nothing is \
fetched. Unset: the checkpoint is in `MODEL_DIR`."""
    model_url: str | None = None
    """URL that `fetch` downloads from; unset: openai-whisper's own URL of that name."""
    model_url_file: str | None = None
    """File with that URL, for one that is a credential itself, as a presigned one is; takes precedence over the URL."""
    model_s3_region: str | None = None
    """Region of an s3:// bucket; unset: `AWS_REGION` of the credentials, else of the environment, else us-east-1."""
    model_s3_endpoint: str | None = None
    """Address of an s3:// bucket's server; unset: `AWS_ENDPOINT_URL` of the credentials, else of the environment, else
    AWS's own."""
    model_hub_endpoint: str | None = None
    """Address of a mirror of Hugging Face's hub, for hf://; unset: `HF_ENDPOINT` of the environment, else the hub."""
    model_registry_endpoint: str | None = None
    """Address that is asked in place of the registry of an oci:// URL, as of a mirror, or of one without TLS; unset:
    https:// and the URL's own host."""
    model_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """sha256 of the checkpoint; unset: the one that openai-whisper publishes for the name, or any of a path, and what \
`fetch` finds for pvc://, for a commit at hf:// and for a digest at oci://."""
    model_credentials_dir: str | None = None
    """A mounted Secret: `token`, or `username` and `password`; for s3 the AWS_* keys; for oci also \
`.dockerconfigjson`. Unset: without credentials."""
    model_ca_file: str | None = None
    """Certificates (PEM) that `fetch` trusts in addition to the system's own."""
    diarization_model: str | None = None
    """The speaker encoder by which speakers are told apart where requests ask for it: `resemblyzer`, which comes with \
the runtime, any name with `WHISPER_DIARIZATION_MODEL_SHA256`, or the path of a checkpoint. Unset: none is loaded, \
and such requests are refused."""
    diarization_model_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """sha256 of that checkpoint, which is in `MODEL_DIR` by its name; of a path that its file must have. Unset: the \
one of the encoder that comes with the runtime, or any of a path."""
    port: int = Field(default=HTTP_PORT, ge=1, le=65535)
    """Port for clients."""
    base_path: str = Field(default="", pattern="^(/[!-~]*[!-.0-~])?$")
    """A prefix that clients' paths may have, as behind a proxy that routes by path and does not rewrite."""
    metrics_port: int = Field(default=METRICS_PORT, ge=1, le=65535)
    """Port for the cluster: health, startup, readiness and metrics."""
    probes_on_http: bool = True
    """Serve health and metrics on the clients' port too, as a lone container needs; the operator sets it to false."""
    ui: bool = True
    """Serve a page at `/` by which people try the service in a browser."""
    device: Device = "auto"
    """Device of the model; `auto`: a GPU where there is one, else the CPU."""
    compute_type: ComputeType = "auto"
    """Precision of the weights; `auto`: float16 on a GPU, float32 on a CPU."""
    language: str = "auto"
    """Language of requests that name none: a code, a tag such as pt-BR, or a name; `auto`: it is detected."""
    max_upload_bytes: int = Field(default=100 * 1024**2, gt=0)
    """The largest request body; a larger one gets 413."""
    max_audio_seconds: int = Field(default=4 * 3600, gt=0)
    """The longest recording; a longer one gets 413."""
    request_timeout_seconds: int = Field(default=300, gt=0)
    """The longest that a request may take; a recording that the present speed does not transcribe in this time gets \
503 with `Retry-After` at once."""
    max_queued_audio_seconds: int = Field(default=30 * 60, gt=0)
    """Audio that may wait for the model; beyond it 429 with `Retry-After`. What has its row does not wait."""
    max_batch_size: int | None = Field(default=None, ge=1, le=256)
    """Windows of 30 s that are decoded together, where memory has room for them. Unset: 8 on a CPU, 64 on a GPU."""
    condition_on_previous_text: bool = True
    """Give the model the text so far as a prompt for the next window, as openai-whisper does."""
    cors_allow_origins: tuple[str, ...] = ()
    """Origins of web pages that may call this server, as a JSON list; `["*"]`: all."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses and networks of proxies, as a JSON list; the client is the last address in `X-Forwarded-For` that is \
none of them. Empty: the client is who connects."""
    front_token: str | None = Field(default=None, pattern="^[!-~]{16,256}$", repr=False)
    """What a front and its servers both have: a server believes who sends it about the client's address. Only needed \
without API keys. Unset: a client is who connects, or whom a trusted proxy names."""
    audio_url_allowed_hosts: tuple[AllowedHostEntry, ...] = ()
    """Hosts from which a recording is fetched that a request names by `url`, as a JSON list: `files.example.com` or \
`*.example.com` by https, `http://minio.storage:9000` by http or on another port. Empty: none."""
    audio_url_private_networks: tuple[PrivateNetwork, ...] = ()
    """Addresses and networks that are not public and may have such a host, as a JSON list. Empty: none."""
    cluster_networks: tuple[Network, ...] = ()
    """Networks of the cluster's own pods, services and nodes, as a JSON list: no address in them counts as public. \
Empty: none that would."""
    webhook_allowed_hosts: tuple[AllowedHostEntry, ...] = ()
    """Hosts that are told of the end of a job whose request names them by `webhook_url`, as a JSON list, as for \
`AUDIO_URL_ALLOWED_HOSTS`. Empty: none."""
    webhook_private_networks: tuple[PrivateNetwork, ...] = ()
    """Addresses and networks that are not public and may have such a host, as a JSON list. Empty: none."""
    webhook_secrets_dir: str | None = None
    """A mounted Secret: each file is a secret, `whsec_` and base64, that signs webhooks; all sign, so that one can be \
replaced."""
    api_keys_dir: str | None = None
    """A mounted Secret: each file is a client's name, its content that client's API key. Unset: no authentication."""
    golden_dir: str | None = None
    """Directory of `clip.wav` and `clip.txt`, which the model must transcribe correctly before it serves. Unset: the \
runtime's own clip."""
    golden_max_word_error_rate: float = Field(default=0.2, ge=0, le=1)
    """Share of the clip's words that may be wrong."""
    golden_language: str | None = None
    """Language of the clip, as a code or a name. Unset: that of `language`, or en where that is auto or the clip is \
the runtime's own."""
    no_egress: bool = False
    """Make `verify` fail where a server could connect to the Kubernetes API."""
    drain_seconds: int = Field(default=600, ge=0)
    """The longest that accepted requests may take to end after SIGTERM."""
    log_level: LogLevel = "info"
    """The lowest level that is logged."""
    log_format: LogFormat = "json"
    """One JSON object per line, or text for people."""
    max_scratch_bytes: int = Field(default=6 * 1024**3, gt=0)
    """Disk that uploads and decoded audio may take together, in TMPDIR; beyond it 503 with `Retry-After`, or 429 \
where the client's own files fill it."""
    requests_per_minute: int | None = Field(default=None, gt=0)
    """Requests that one client may send in a minute, by its API key, else its address. Unset: no limit."""
    audio_minutes_per_hour: int | None = Field(default=None, gt=0)
    """Minutes of audio that one client may send in an hour. Unset: no limit."""
    redis_url_file: str | None = None
    """File with the URL of a Valkey (8 or later) or Redis (7 or later), `rediss://user:password@host:6379/0`, in \
which all processes with the same prefix count a client's rates as one, and keep their results. Unset: each does so \
for itself."""
    redis_ca_file: str | None = None
    """File of the private authority (PEM) that signed its certificate."""
    redis_prefix: str = Field(default="whisper", pattern="^[-.a-z0-9]{1,253}(/[-.a-z0-9]{1,253})?$")
    """Name that the keys there begin with, as `whisper:{name}:`."""
    jobs_store: JobsStore = "directory"
    """Where jobs are: in WHISPER_JOBS_DIR, for processes of one machine; or `redis`: in the shared store, for those \
of any number, and their recordings and results in WHISPER_JOBS_DIR, which all have mounted. Unset, that is in the \
shared store, too, 8 MiB each at most."""
    jobs_dir: str | None = None
    """Directory on a volume that keeps jobs over restarts: opens `Prefer: respond-async`, \
and makes `verify` check a job. Unset: there are no jobs, but with WHISPER_JOBS_STORE=redis."""
    jobs_s3_bucket: str | None = None
    """Bucket of an S3 server that has their recordings, results and files, with WHISPER_JOBS_STORE=redis; what takes \
256 KiB or less is in the shared store."""
    jobs_s3_prefix: str = ""
    """What the names of the objects there begin with, before WHISPER_REDIS_PREFIX."""
    jobs_s3_region: str | None = None
    """Region of the bucket; unset: `AWS_REGION` of the credentials, else us-east-1."""
    jobs_s3_endpoint: str | None = None
    """Address of the bucket's server; unset: `AWS_ENDPOINT_URL` of the credentials, else AWS's own."""
    jobs_s3_credentials_dir: str | None = None
    """A mounted Secret with the AWS_* keys, which are read anew when the server refuses. Unset: the identity that the \
cloud gives to the pod's ServiceAccount."""
    jobs_max_bytes: int = Field(default=10 * 1024**3, gt=0)
    """Bytes that jobs may take there; beyond it new ones get 507. No client may take more of it than \
it leaves to others. An hour of speech takes about 50 MB."""
    jobs_result_seconds: int = Field(default=24 * 3600, gt=0)
    """How long the result of a job is kept; the recording is deleted when the job ends."""
    jobs_max_queued_audio_seconds: int | None = Field(default=None, gt=0)
    """Audio of one client that may wait as jobs; beyond it that client gets 429 with `Retry-After`. A client of which \
none waits may send any job. Unset: no limit."""

    result_cache_max_bytes: int | None = Field(default=None, gt=0)
    """Memory for results that are kept: the same audio with the same options is answered by them; as many bytes of \
the shared store, where there is one. Unset: none is."""
    result_cache_seconds: int = Field(default=24 * 3600, gt=0)
    """How long a result is kept at most."""
    result_cache_scope: CacheScope = "client"
    """Whose results a client gets: its own, or `service`: those of all clients."""

    servers: str | None = None
    """Where `front` finds servers: `host:port`, or several with commas; `host:port:metricsPort` where that is not \
9000. All addresses of a name, which is looked up each second, may be servers; each is asked whether it is ready."""
    spool_dir: str | None = None
    """Directory in which `front` keeps what clients send, until a server has answered. Unset: TMPDIR."""
    spool_bytes: int = Field(default=10 * 1024**3, gt=0)
    """Disk that it may take there; beyond it 503 with `Retry-After`, or 429 where the client's own uploads fill it."""

    @field_validator("language")
    @classmethod
    def _reads_language(cls, word: str) -> str:
        return "auto" if is_auto(word) else _code(word, REMEDY_OR_AUTO)

    @field_validator("golden_language")
    @classmethod
    def _reads_golden_language(cls, word: str | None) -> str | None:
        return word and _code(word, REMEDY)

    @field_validator("servers")
    @classmethod
    def _reads_servers(cls, setting: str | None) -> str | None:
        return setting and check_servers(setting)

    @property
    def keeps_jobs(self) -> bool:
        return self.jobs_dir is not None or self.jobs_store == "redis"

    @property
    def clip_dir(self) -> str:
        """The golden clip's directory."""
        return self.golden_dir or PACKAGED_GOLDEN_DIR

    @property
    def clip_language(self) -> str:
        """The golden clip's language."""
        own = self.language if self.golden_dir and self.language != "auto" else "en"
        return self.golden_language or own

    def to_env(self) -> dict[str, str]:
        """Variables for `model` and for every field that is not at its default; `from_env` of them equals `self`."""
        values = self.model_dump(exclude_defaults=True, mode="json")
        return {env_name("model"): self.model} | {env_name(field): _encode(value) for field, value in values.items()}

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The configuration in `env`, where an empty value is unset.

        Raises pydantic.ValidationError, which names field and value.
        """
        found = {field: value for field in cls.model_fields if (value := env.get(env_name(field)))}
        return cls.model_validate(found | {field: _decode(found[field]) for field in LISTS if field in found})


def env_name(field: str) -> str:
    """The environment variable of a field of RuntimeConfig."""
    # MODEL_DIR alone has no prefix: it is the image's build argument of that name.
    return "MODEL_DIR" if field == "model_dir" else f"WHISPER_{field.upper()}"


LISTS: Final = (
    "audio_url_allowed_hosts",
    "audio_url_private_networks",
    "cluster_networks",
    "cors_allow_origins",
    "model_aliases",
    "trusted_proxies",
    "webhook_allowed_hosts",
    "webhook_private_networks",
)
"""Fields whose variable holds a JSON list."""
ENV_NAMES: Final = frozenset(map(env_name, RuntimeConfig.model_fields))
"""Every variable that the operator sets, and a user's `server.env` therefore may not."""


def _encode(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _decode(value: str) -> Any:
    """The value of the JSON `value`; a text that is not JSON stays as it is, so that validation can name it."""
    try:
        return json.loads(value)
    except ValueError:
        return value
