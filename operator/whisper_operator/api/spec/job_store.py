"""The spec's part about recordings that are transcribed in the background, and what keeps them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, text
from whisper_operator.api.maps import Annotations, Labels
from whisper_operator.api.scalars import Duration, LocalRef, ObjectName, VolumeSize
from whisper_operator.api.spec.source import BucketRegion, StorageEndpoint
from whisper_operator.api.spec.storage import StorageClassName, claim_rules
from whisper_operator.api.spec.webhooks import WebhooksSpec


class JobBucketSpec(ApiModel):
    bucket: Annotated[
        str,
        *text(
            "^[a-z0-9][-a-z0-9.]*[a-z0-9]$",
            "is not a valid name of a bucket; use lower-case letters, digits, hyphens and dots",
            longest=63,
        ),
    ]
    """Bucket that has the recordings, results and files of jobs; no other program should write what begins with
    `prefix` there."""
    prefix: Annotated[
        str,
        *text(
            "^([-A-Za-z0-9._][-A-Za-z0-9._/]*)?$",
            "is not a valid prefix; use letters, digits, . _ - and / between them",
            longest=256,
        ),
    ] = ""
    """What the names of the objects begin with; behind it are the namespace and name of the service."""
    secret_ref: LocalRef | None = None
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; its user may read, write, list and delete these objects.
    Absent: the identity of the pod's ServiceAccount."""
    region: BucketRegion | None = None
    """Region of the bucket; it takes precedence over AWS_REGION of the Secret. Absent there, too: us-east-1."""
    endpoint: StorageEndpoint | None = None
    """Address of the bucket's server; it takes precedence over AWS_ENDPOINT_URL of the Secret. Absent there, too: AWS's
    own."""


class JobStorageSpec(ApiModel):
    type: Literal["PersistentVolumeClaim", "EmptyDir", "Redis", "S3"] = "PersistentVolumeClaim"
    """Storage of the jobs: a claim that outlives the pods, or a directory of the pod, with which all jobs are lost; or
    the store of `spec.redis`, which any number of pods share, for recordings of up to 8 MiB (some eight minutes). With
    the type S3, or a claim that is ReadWriteMany, that store has their order, and recordings may be of any length."""
    s3: JobBucketSpec | None = None
    """Bucket of the recordings, results and files; what takes 256 KiB or less is in the store of `spec.redis`."""
    size: VolumeSize = "auto"
    """Size of the claim or directory; auto is 10Gi, room for some 150 hours of recordings that wait. A claim that has
    a volume can only grow. With the type S3: what jobs may take of the bucket; with Redis: memory of the store that
    they may take, of which auto is 1Gi. When it is full, no new jobs are accepted."""
    storage_class_name: StorageClassName | None = None
    """StorageClass of the claim; fixed once the claim has a volume. Absent: the cluster's default. Its volumes must not
    be network file systems such as NFS, unless the claim is ReadWriteMany."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = None
    """Access mode of the claim: ReadWriteOnce, which keeps an old pod and the new one of a rollout on one node; or
    ReadWriteMany, for any number of pods that share the store of `spec.redis`, which has the jobs' order then."""
    existing_claim: ObjectName | None = None
    """Name of a claim to use instead of creating one; of no other service."""
    retention: Literal["Retain", "Delete"] = "Retain"
    """Whether the claim stays or goes when `spec.jobs` is removed or the WhisperService is deleted."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the claim that the operator makes, beside its own; backups select by them."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of that claim, beside the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *claim_rules(
            "spec.jobs.storage",
            retention="Retain",
            of_a_new_claim=("storage_class_name", "labels", "annotations"),
        ),
        Rule(
            "!has(self.existingClaim) || !has(self.accessMode) || self.accessMode == 'ReadWriteMany'",
            "spec.jobs.storage.accessMode ReadWriteOnce has no use beside spec.jobs.storage.existingClaim, which is as "
            "its owner made it: remove one of the two",
            lambda self: self.existing_claim is None or self.access_mode in (None, "ReadWriteMany"),
        ),
        Rule(
            "(self.type == 'S3') == has(self.s3)",
            "spec.jobs.storage.s3 names the bucket of spec.jobs.storage.type S3: write both, or neither",
            lambda self: (self.type == "S3") == (self.s3 is not None),
        ),
    )

    @property
    def is_shared(self) -> bool:
        """Whether any number of pods can have it, with the store of `spec.redis`."""
        return self.type in ("Redis", "S3") or self.access_mode == "ReadWriteMany"


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
