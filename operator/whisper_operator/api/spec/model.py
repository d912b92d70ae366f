"""The spec's parts about the checkpoint: which model, where it comes from, and the volume that keeps it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, cel_list, text
from whisper_operator.api.maps import Annotations, Labels, none_of_ours
from whisper_operator.api.scalars import SUBDOMAIN, CacheSize, KeyRef, LocalRef, ObjectName
from whisper_runtime.contract.models import OFFICIAL_MODELS

_CREDENTIALS = "://[^/]*@"
_HOST = "[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?"
_SOURCE = (
    f"^(https?://([!-.0-?A-~]*@)?{_HOST}(/[!-~]*)?"
    "|s3://[a-z0-9][-a-z0-9.]*/[!-~]+|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[!-~]+)$"
)
"""Credentials match, because a rule below refuses them with a message of their own."""


class ModelSourceSpec(ApiModel):
    url: Annotated[
        str,
        *text(
            _SOURCE,
            "is not a valid URL of a checkpoint; use https://, http://, s3://bucket/key or pvc://claim/path",
            longest=2048,
        ),
    ]
    """URL of the checkpoint, in openai-whisper's format: https://, http://, s3://bucket/key or pvc://claim/path."""
    sha256: (
        Annotated[
            str,
            *text(
                "^[0-9a-f]{64}$",
                "is not a SHA-256 digest; write the 64 hexadecimal digits that `sha256sum` prints",
                longest=128,
            ),
        ]
        | None
    ) = None
    """SHA-256 digest of the file, 64 hexadecimal digits; checked before the file is used. Optional for pvc:// only."""
    secret_ref: LocalRef | None = None
    """Secret with the credentials for `url`."""
    ca_config_map_key_ref: KeyRef | None = None
    """ConfigMap and key of the private certificate authority (PEM) that signed the server's certificate."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.url.startsWith('pvc://') || has(self.sha256)",
            "spec.model.source.sha256 is missing: add the digest that `sha256sum` prints for the checkpoint",
            lambda self: self.url.startswith("pvc://") or self.sha256 is not None,
        ),
        Rule(
            f"!self.url.matches('{_CREDENTIALS}')",
            "spec.model.source.url must not contain credentials: put them into a Secret and name it in "
            "spec.model.source.secretRef",
            lambda self: not re.search(_CREDENTIALS, self.url),
        ),
    )

    @property
    def claim(self) -> str | None:
        """Name of the claim that a pvc:// URL names; None for other URLs."""
        return urlsplit(self.url).netloc if self.url.startswith("pvc://") else None


class ModelSpec(ApiModel):
    name: Annotated[
        str,
        *text(
            "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
            "is not a valid model name; use lower-case letters, digits, hyphens and dots",
            longest=63,
        ),
    ]
    """One of openai-whisper's names, such as tiny.en, base or large-v3-turbo; any name if `source` is set."""
    source: ModelSourceSpec | None = None
    """Source of the checkpoint. Absent: openai-whisper's own download for that name."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"has(self.source) || self.name in {cel_list(OFFICIAL_MODELS)}",
            "spec.model.name is not one of openai-whisper's models: use one of "
            + ", ".join(OFFICIAL_MODELS)
            + "; or add spec.model.source with the URL of your checkpoint",
            lambda self: self.source is not None or self.name in OFFICIAL_MODELS,
        ),
    )


class CacheSpec(ApiModel):
    type: Literal["PersistentVolumeClaim", "EmptyDir", "Image"] = "PersistentVolumeClaim"
    """Storage of the checkpoints: a claim that outlives the pods, a directory of each pod, or the image itself."""
    size: CacheSize = "auto"
    """Size of the claim or directory; auto is 10Gi, room for two of the largest checkpoints. A claim that has a volume
    can only grow."""
    storage_class_name: (
        Annotated[
            str,
            *text(
                f"^({SUBDOMAIN})?$",
                "is not a valid StorageClass name; use lower-case letters, digits, hyphens, and dots between them",
                longest=253,
            ),
        ]
        | None
    ) = None
    """StorageClass of the claim; fixed once the claim has a volume. Absent: the cluster's default."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = None
    """Access mode of the claim; fixed once the claim has a volume. Absent: ReadWriteOnce, which keeps all pods on one
    node; ReadWriteMany if more than one replica can run and the class's provisioner is known to share every volume."""
    existing_claim: ObjectName | None = None
    """Name of a claim to use instead of creating one."""
    retention: Literal["Retain", "Delete"] = "Delete"
    """Whether the claim stays or goes when the WhisperService is deleted."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the claim that the operator makes, beside its own; backups select by them."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of that claim, beside the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type == 'PersistentVolumeClaim' || !has(self.existingClaim)",
            "spec.cache.existingClaim needs spec.cache.type PersistentVolumeClaim: set that type, or remove "
            "spec.cache.existingClaim",
            lambda self: self.type == "PersistentVolumeClaim" or self.existing_claim is None,
        ),
        *none_of_ours("spec.cache", "labels", "annotations"),
    )
