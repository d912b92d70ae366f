"""The spec's parts about the pods that do not serve: their resources, and the fetch of the model."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule
from whisper_operator.api.maps import ResourceList
from whisper_operator.api.scalars import KeyRef, Opaque
from whisper_operator.api.spec.pods import requests_within_limits


class JobResourcesSpec(ApiModel):
    requests: ResourceList = Field(default_factory=dict[str, str | int])
    """Requests of the container; cpu and memory have a default."""
    limits: ResourceList = Field(default_factory=dict[str, str | int])
    """Limits of the container; memory has a default."""

    rules: ClassVar[tuple[Rule, ...]] = (
        requests_within_limits("requests exceed limits: lower the request or raise the limit"),
    )


class PrefetchSpec(ApiModel):
    resources: JobResourcesSpec | None = None
    """Resources of the container that fetches, in its Job or, with an EmptyDir cache, in each pod."""
    ca_config_map_key_ref: KeyRef | None = None
    """ConfigMap and key of certificate authorities (PEM) that the fetch trusts beside the image's: of the model's
    server, or of a proxy that inspects TLS."""
    pod_template: Opaque | None = None
    """Strategic merge patch for the template of the Job's pod, whose container is `fetch`; it takes precedence."""
