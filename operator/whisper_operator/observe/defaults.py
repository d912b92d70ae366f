"""The installation's defaults for all services, as the chart's value `defaults` sets them: pure.

docs/adr/0020-defaults-are-recorded.md says when a changed default reaches a service that is there.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from whisper_operator.api.base import ApiModel
from whisper_operator.api.maps import Labels
from whisper_operator.api.scalars import LocalRef, ObjectName, Opaque
from whisper_operator.api.spec.pods import ObjectMetadataSpec, PodMetadataSpec, ResourcesSpec
from whisper_operator.api.v1alpha1 import Spec

SpecPart = TypeVar("SpecPart", bound=ApiModel)
MetadataPart = TypeVar("MetadataPart", PodMetadataSpec, ObjectMetadataSpec)


class GpuDefaults(ApiModel):
    """Of services with a GPU alone."""

    node_selector: Labels = Field(default_factory=dict[str, str])
    tolerations: Annotated[tuple[Opaque, ...], Field(strict=False)] = ()


class Defaults(ApiModel):
    image_pull_secrets: Annotated[tuple[LocalRef, ...], Field(strict=False)] = ()
    """Secrets of each service's own namespace."""
    gpu: GpuDefaults = GpuDefaults()
    storage_class_name: ObjectName | None = None
    """Of claims that the operator makes."""
    ingress_class_name: ObjectName | None = None
    pod_metadata: PodMetadataSpec = PodMetadataSpec()
    """Of every pod; a spec adds to it, and takes precedence name by name."""
    object_metadata: ObjectMetadataSpec = ObjectMetadataSpec()
    """Of every object; a spec adds to it, and takes precedence name by name."""
    resources: ResourcesSpec | None = None
    """Of the server's container, where a spec sets none."""

    def as_json(self) -> str | None:
        """What is set, as the status records it; None: nothing is."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True) if self != NO_DEFAULTS else None

    def fill(self, spec: Spec) -> Spec:
        """`spec`, with what it leaves open; an empty list or map is left open."""
        if self == NO_DEFAULTS:
            return spec
        scheduling, cache = spec.scheduling, spec.cache
        if spec.gpu:
            tolerated, selector = self.gpu.tolerations, self.gpu.node_selector
            scheduling = _completed(scheduling, node_selector=selector, tolerations=tolerated)
        if cache.type == "PersistentVolumeClaim" and not cache.existing_claim:
            cache = _completed(cache, storage_class_name=self.storage_class_name)
        jobs = spec.jobs
        if jobs and jobs.storage.type == "PersistentVolumeClaim" and not jobs.storage.existing_claim:
            storage = _completed(jobs.storage, storage_class_name=self.storage_class_name)
            jobs = jobs.model_copy(update={"storage": storage})
        parts = {
            "image": _completed(spec.image, pull_secrets=self.image_pull_secrets),
            "scheduling": scheduling,
            "cache": cache,
            "jobs": jobs,
            "ingress": spec.ingress and _completed(spec.ingress, class_name=self.ingress_class_name),
            "pod_metadata": _beside(spec.pod_metadata, self.pod_metadata),
            "object_metadata": _beside(spec.object_metadata, self.object_metadata),
            "resources": spec.resources or self.resources,
        }
        return spec.model_copy(update=parts)


NO_DEFAULTS: Final = Defaults()


def _beside(own: MetadataPart, default: MetadataPart) -> MetadataPart:
    labels, annotations = {**default.labels, **own.labels}, {**default.annotations, **own.annotations}
    return own.model_copy(update={"labels": labels, "annotations": annotations})


def _completed(part: SpecPart, **defaults: Any) -> SpecPart:
    left_open = {name: value for name, value in defaults.items() if getattr(part, name) in (None, (), {})}
    return part.model_copy(update=left_open)
