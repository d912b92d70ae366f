"""The spec's part about recordings that are transcribed in the background, and the volume that keeps them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule
from whisper_operator.api.maps import Annotations, Labels
from whisper_operator.api.scalars import Duration, ObjectName, VolumeSize
from whisper_operator.api.spec.storage import StorageClassName, claim_rules
from whisper_operator.api.spec.webhooks import WebhooksSpec


class JobStorageSpec(ApiModel):
    type: Literal["PersistentVolumeClaim", "EmptyDir", "Redis"] = "PersistentVolumeClaim"
    """Storage of the jobs: a claim that outlives the pods, or a directory of the pod, with which all jobs are lost; or
    the store of `spec.redis`, which any number of pods share, for recordings of up to 8 MiB (some eight minutes)."""
    size: VolumeSize = "auto"
    """Size of the claim or directory; auto is 10Gi, room for some 150 hours of recordings that wait. A claim that has
    a volume can only grow. With the type Redis: memory of the store that jobs may take; auto is 1Gi. When it is full,
    no new jobs are accepted."""
    storage_class_name: StorageClassName | None = None
    """StorageClass of the claim; fixed once the claim has a volume. Absent: the cluster's default. Its volumes must not
    be network file systems such as NFS."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = None
    """Access mode of the claim: ReadWriteOnce, which keeps an old pod and the new one of a rollout on one node."""
    existing_claim: ObjectName | None = None
    """Name of a claim to use instead of creating one; of no other service."""
    retention: Literal["Retain", "Delete"] = "Retain"
    """Whether the claim stays or goes when `spec.jobs` is removed or the WhisperService is deleted."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the claim that the operator makes, beside its own; backups select by them."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of that claim, beside the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *claim_rules("spec.jobs.storage", retention="Retain"),
        Rule(
            "!has(self.accessMode) || self.accessMode != 'ReadWriteMany'",
            "spec.jobs.storage.accessMode ReadWriteMany lets pods of several nodes write, and the SQLite database of "
            "the jobs is safe among processes of one node alone: remove spec.jobs.storage.accessMode",
            lambda self: self.access_mode != "ReadWriteMany",
        ),
    )


class JobsSpec(ApiModel):
    result_ttl: Duration = Field("24h", alias="resultTTL")
    """Time for which the result of a recording that was transcribed in the background is kept."""
    max_queued_audio_per_client: Duration | None = None
    """Audio of one client that may wait to be transcribed in the background; beyond it new recordings of that client
    get 429, unless none of it waits. Absent: no limit."""
    storage: JobStorageSpec = JobStorageSpec()
    """Storage of recordings that wait and of results."""
    webhooks: WebhooksSpec | None = None
    """Addresses that a request may have told of the end of its job. Absent: none are."""
