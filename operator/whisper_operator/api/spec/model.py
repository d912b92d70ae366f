"""The spec's parts about the checkpoint: which model it is, and the volume that keeps it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, cel_list, text
from whisper_operator.api.maps import Annotations, Labels
from whisper_operator.api.scalars import ObjectName, VolumeSize
from whisper_operator.api.spec.source import ModelSourceSpec
from whisper_operator.api.spec.storage import StorageClassName, claim_rules
from whisper_runtime.contract.models import MODEL_ALIAS_LENGTH, MODEL_ALIAS_PATTERN, OFFICIAL_MODELS


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
    aliases: Annotated[
        tuple[
            Annotated[
                str,
                *text(
                    MODEL_ALIAS_PATTERN,
                    "is not a valid name for clients; for example whisper-large-v3 or openai/whisper-large-v3",
                    longest=MODEL_ALIAS_LENGTH,
                ),
            ],
            ...,
        ],
        *at_most(16),
    ] = ()
    """Further names by which clients may call the model, beside OpenAI's (whisper-1, gpt-4o-transcribe) and, of one of
    openai-whisper's models, those of Groq and Hugging Face."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"has(self.source) || self.name in {cel_list(OFFICIAL_MODELS)}",
            "spec.model.name is not one of openai-whisper's models: use one of "
            + ", ".join(OFFICIAL_MODELS)
            + "; or add spec.model.source with the URL of your checkpoint",
            lambda self: self.source is not None or self.name in OFFICIAL_MODELS,
        ),
        Rule(
            "!has(self.source) || has(self.source.sha256) || !has(self.source.url) || "
            "!self.source.url.startsWith('hf://') || "
            f"!(self.name in {cel_list(OFFICIAL_MODELS)})",
            "spec.model.name is one of openai-whisper's models, whose file has another digest than Hugging Face's: "
            "take another name, such as whisper-base-hf, or add spec.model.source.sha256",
            lambda self: (
                self.source is None
                or self.source.sha256 is not None
                or self.source.scheme != "hf"
                or self.name not in OFFICIAL_MODELS
            ),
        ),
        Rule(
            "!has(self.aliases) || self.aliases.all(alias, self.aliases.exists_one(other, other == alias))",
            "spec.model.aliases has a name more than once: remove the duplicates",
            lambda self: len(set(self.aliases)) == len(self.aliases),
        ),
    )


class CacheSpec(ApiModel):
    type: Literal["PersistentVolumeClaim", "EmptyDir", "Image", "ImageVolume"] = "PersistentVolumeClaim"
    """Storage of the checkpoints: a claim that outlives the pods, a directory of each pod, the pods' image, or the one
    that the oci:// URL of spec.model.source names, which the node pulls by image.pullPolicy and image.pullSecrets, and
    mounts; that needs Kubernetes 1.36 and a container runtime with image volumes."""
    size: VolumeSize = "auto"
    """Size of the claim or directory; auto is 10Gi, room for two of the largest checkpoints. A claim that has a volume
    can only grow."""
    storage_class_name: StorageClassName | None = None
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
        *claim_rules("spec.cache", retention="Delete"),
        Rule(
            "!(self.type in ['Image', 'ImageVolume']) || self.size == 'auto'",
            "spec.cache.size has no use with spec.cache.type Image or ImageVolume, whose model is in an image: "
            "remove it",
            lambda self: self.type not in ("Image", "ImageVolume") or self.size == "auto",
        ),
    )
