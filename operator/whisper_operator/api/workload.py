"""The parts of the spec that shape the pods: model, image, hardware, server, cache, rollout, scheduling."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from whisper_operator.api.base import (
    SUBDOMAIN,
    BatchSize,
    CacheSize,
    CountOrPercent,
    Duration,
    KeyRef,
    LocalRef,
    ObjectName,
    Opaque,
    Part,
    Rule,
    Size,
    at_most,
    text,
)
from whisper_operator.api.maps import Labels, Quantities
from whisper_operator.api.units import quantity
from whisper_runtime.contract.config import ENV_NAMES
from whisper_runtime.contract.models import OFFICIAL_MODELS


def _cel_list(values: list[str]) -> str:
    return "[" + ", ".join(f"'{value}'" for value in values) + "]"


_CREDENTIALS = "://[^/]*@"
_HOST = "[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?"
_SOURCE = (
    f"^(https?://([!-.0-?A-~]*@)?{_HOST}(/[!-~]*)?"
    "|s3://[a-z0-9][-a-z0-9.]*/[!-~]+|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[!-~]+)$"
)
"""Credentials have a sentence of their own, below."""


class ModelSource(Part):
    url: Annotated[
        str,
        *text(
            _SOURCE,
            "is no place of a checkpoint: write https://…, http://…, s3://bucket/key or pvc://claim/path",
            longest=2048,
        ),
    ]
    """Where the checkpoint is: https://, http://, s3://bucket/key or pvc://claim/path, in openai-whisper's format."""
    sha256: (
        Annotated[
            str,
            *text(
                "^[0-9a-f]{64}$",
                "is no sha256: write the 64 hexadecimal digits that `sha256sum` prints",
                longest=128,
            ),
        ]
        | None
    ) = None
    """Digest of the file, 64 hexadecimal digits; checked before the file is used. Only pvc:// may go without."""
    secret_ref: LocalRef | None = None
    """Secret with the credentials for `url`."""
    ca_ref: KeyRef | None = None
    """ConfigMap and key of the private certificate authority (PEM) that signed the server's certificate."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.url.startsWith('pvc://') || has(self.sha256)",
            "spec.model.source.sha256 is missing: add the digest that `sha256sum` prints for the checkpoint",
            lambda self: self.url.startswith("pvc://") or self.sha256 is not None,
        ),
        Rule(
            f"!self.url.matches('{_CREDENTIALS}')",
            "spec.model.source.url must not hold credentials: put them into a Secret and name it in secretRef",
            lambda self: not re.search(_CREDENTIALS, self.url),
        ),
    )

    @property
    def claim(self) -> str | None:
        """Name of the claim that a pvc:// URL names."""
        return urlsplit(self.url).netloc if self.url.startswith("pvc://") else None


class Model(Part):
    name: Annotated[
        str,
        *text(
            "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
            "is no model's name: write lower-case letters, digits, hyphens and dots",
            longest=63,
        ),
    ]
    """One of openai-whisper's names, such as tiny.en, base, large-v3-turbo; or any name, with `source`."""
    source: ModelSource | None = None
    """Where the checkpoint comes from. Absent: openai-whisper's own download for that name."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"has(self.source) || self.name in {_cel_list(list(OFFICIAL_MODELS))}",
            "spec.model.name is none of openai-whisper's: write one of "
            + ", ".join(OFFICIAL_MODELS)
            + "; or say in spec.model.source where the checkpoint is",
            lambda self: self.source is not None or self.name in OFFICIAL_MODELS,
        ),
    )


class Image(Part):
    repository: (
        Annotated[
            str,
            *text(
                r"^[A-Za-z0-9\[][-A-Za-z0-9._:/\[\]]*$",
                "is no image's repository: write it like registry.example.com/whisper-runtime",
                longest=255,
            ),
        ]
        | None
    ) = None
    """Repository of the runtime's image. Absent: the one that the operator was installed with."""
    tag: (
        Annotated[str, *text("^[A-Za-z0-9_][A-Za-z0-9._-]*$", "is no image's tag: write it like 1.2.3", longest=128)]
        | None
    ) = None
    """Tag of the image."""
    digest: (
        Annotated[
            str,
            *text(
                "^sha256:[0-9a-f]{64}$",
                "is no image's digest: write sha256: and 64 hexadecimal digits",
                longest=128,
            ),
        ]
        | None
    ) = None
    """Digest of the image, sha256:<64 hex>; wins over `tag`."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the kubelet pulls the image."""
    pull_secrets: Annotated[tuple[LocalRef, ...], *at_most(8, key="name")] = ()
    """Secrets for a private registry."""


class Gpu(Part):
    count: Annotated[int, Field(ge=0, le=64)] = 1
    """GPUs for each pod; one model runs on one GPU, so more than 1 is refused for now."""
    resource_name: Annotated[
        str,
        *text(
            rf"^{SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]$",
            "is no extended resource: write it like nvidia.com/gpu",
            longest=200,
        ),
    ] = "nvidia.com/gpu"
    """The extended resource that the nodes offer."""
    runtime_class_name: ObjectName | None = None
    """RuntimeClass of the pods, where the cluster needs one for GPUs."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.count == 1",
            "spec.gpu.count must be 1, for one pod serves one model on one GPU: write 1 and raise spec.replicas",
            lambda self: self.count == 1,
        ),
        Rule(
            "!self.resourceName.contains('kubernetes.io/') && !self.resourceName.startsWith('requests.')",
            "spec.gpu.resourceName is none that nodes offer: write the device plugin's, like nvidia.com/gpu",
            lambda self: "kubernetes.io/" not in self.resource_name and not self.resource_name.startswith("requests."),
        ),
    )


class Resources(Part):
    requests: Quantities = Field(default_factory=dict[str, str | int])
    """Requests of the server's container; what is not named comes from the table by model and device."""
    limits: Quantities = Field(default_factory=dict[str, str | int])
    """Limits of the server's container; what is not named comes from the table by model and device."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || "
            "!quantity(string(self.requests[name])).isGreaterThan(quantity(string(self.limits[name]))))",
            "spec.resources.requests are larger than spec.resources.limits: lower the request or raise the limit",
            lambda self: all(
                quantity(amount) <= quantity(self.limits.get(name, amount)) for name, amount in self.requests.items()
            ),
        ),
    )


class Cors(Part):
    allow_origins: Annotated[
        tuple[
            Annotated[
                str,
                *text(
                    r"^(\*|https?://[!-.0-~]+)$",
                    "is no origin: write it like https://app.example.com, or *",
                    longest=512,
                ),
            ],
            ...,
        ],
        *at_most(64),
    ] = ()
    """Origins whose pages may call the service, such as https://app.example.com; * for any."""


class EnvVar(Part):
    name: Annotated[
        str,
        *text(
            "^[-_a-zA-Z][-._a-zA-Z0-9]*$",
            "is no environment variable's name: write it like HTTPS_PROXY",
            longest=256,
        ),
    ]
    """Name of the variable."""
    value: Annotated[str, Field(max_length=4096)] | None = None
    """Value of the variable."""
    value_from: Opaque | None = None
    """Source of the value, as in a pod."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.valueFrom) || !has(self.value) || self.value == ''",
            "spec.server.env has an entry with both value and valueFrom: remove one of the two",
            lambda self: self.value_from is None or not self.value,
        ),
    )


class Server(Part):
    max_upload_size: Size = "100Mi"
    """Largest request body; a larger one gets 413."""
    max_audio_duration: Duration = "4h"
    """Longest recording; a longer one gets 413."""
    request_timeout: Duration = "300s"
    """Longest synchronous request; the time-outs of every proxy follow it."""
    max_queued_audio: Duration = "30m"
    """Audio that may wait in one pod; beyond it clients get 429 with Retry-After."""
    max_batch_size: BatchSize = "auto"
    """Windows of 30 s that are decoded together, where memory has room for them; auto is 8 on a CPU and 64 on a GPU."""
    condition_on_previous_text: bool = True
    """Give the text so far to the model as context, as openai-whisper does."""
    cors: Cors = Cors()
    """Cross-origin requests from browsers; none by default."""
    env: Annotated[
        tuple[EnvVar, ...],
        *at_most(64, key="name"),
    ] = ()
    """More environment variables of the server's container."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.env) || self.env.all(variable, !(variable.name in {_cel_list(sorted(ENV_NAMES))}))",
            "spec.server.env must not set a variable that the operator sets ("
            + ", ".join(sorted(ENV_NAMES))
            + "): remove it and use the field of spec that stands for it",
            lambda self: not ENV_NAMES & {variable.name for variable in self.env},
        ),
    )


class Cache(Part):
    type: Literal["PersistentVolumeClaim", "EmptyDir", "Image"] = "PersistentVolumeClaim"
    """Where checkpoints are kept: a claim that outlives the pods, a directory of each pod, or the image itself."""
    size: CacheSize = "auto"
    """Size of the claim or directory; auto is 10Gi, room for two of the largest checkpoints. It only grows."""
    storage_class_name: Annotated[str, *text(f"^({SUBDOMAIN})?$", "is no StorageClass's name", longest=253)] | None = (
        None
    )
    """StorageClass of the claim, fixed when it is made. Absent: the cluster's default."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = None
    """Access mode of the claim, fixed when it is made. Absent: ReadWriteMany when more than one replica can run."""
    existing_claim: ObjectName | None = None
    """Name of a claim to use instead of making one."""
    retention: Literal["Retain", "Delete"] = "Delete"
    """Whether the claim stays when the WhisperService is deleted."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type == 'PersistentVolumeClaim' || !has(self.existingClaim)",
            "spec.cache.existingClaim needs spec.cache.type PersistentVolumeClaim: remove one of the two",
            lambda self: self.type == "PersistentVolumeClaim" or self.existing_claim is None,
        ),
    )


class Rollout(Part):
    strategy: Literal["Auto", "Surge", "Replace"] = "Auto"
    """Surge starts the new pod first; Replace stops the old one first, as a full GPU demands; Auto chooses."""
    drain_timeout: Duration = "10m"
    """How long a pod that is told to stop may finish what it has."""


class Disruption(Part):
    min_available: CountOrPercent | None = None
    """Pods that a drain must leave, a number or a percentage."""
    max_unavailable: CountOrPercent | None = None
    """Pods that a drain may take, a number or a percentage."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.minAvailable) != has(self.maxUnavailable)",
            "spec.disruption needs exactly one of minAvailable and maxUnavailable: write one of them",
            lambda self: (self.min_available is None) != (self.max_unavailable is None),
        ),
    )


class Scheduling(Part):
    node_selector: Labels = Field(default_factory=dict[str, str])
    """Labels that a node must have."""
    tolerations: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Tolerations of the pods."""
    affinity: Opaque | None = None
    """Affinity of the pods."""
    topology_spread_constraints: Annotated[tuple[Opaque, ...], *at_most(16)] = ()
    """Topology spread constraints of the pods."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods."""
