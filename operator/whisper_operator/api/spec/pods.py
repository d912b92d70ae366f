"""The spec's parts about each pod: its image, GPU and resources, metadata and account, and where it may run; and about
each object."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, text
from whisper_operator.api.maps import Annotations, Labels, ResourceList, none_of_ours
from whisper_operator.api.scalars import SUBDOMAIN, LocalRef, ObjectName, Opaque
from whisper_operator.api.units import quantity

_REGISTRY = r"([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(:[0-9]+)?"
_PART = "[a-z0-9]+(([.]|__?|-+)[a-z0-9]+)*"
"""A part of an image's name, as containerd reads it: regexp.go of github.com/distribution/reference."""


class ImageSpec(ApiModel):
    repository: (
        Annotated[
            str,
            *text(
                f"^({_REGISTRY}/)?{_PART}(/{_PART})*$",
                "is not a valid image repository; for example registry.example.com/whisper-runtime, in lower case and "
                "without a tag",
                longest=255,
            ),
        ]
        | None
    ) = None
    """Repository of the runtime's image. Absent: the default of the operator's installation."""
    tag: (
        Annotated[
            str,
            *text("^[A-Za-z0-9_][A-Za-z0-9._-]*$", "is not a valid image tag; for example 1.2.3", longest=128),
        ]
        | None
    ) = None
    """Tag of the image."""
    digest: (
        Annotated[
            str,
            *text(
                "^sha256:[0-9a-f]{64}$",
                "is not a valid image digest; write sha256: and 64 hexadecimal digits",
                longest=128,
            ),
        ]
        | None
    ) = None
    """Digest of the image, sha256:<64 hex>; takes precedence over `tag`."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the kubelet pulls the image."""
    pull_secrets: Annotated[tuple[LocalRef, ...], *at_most(8, key="name")] = ()
    """Secrets with the credentials for a private registry."""


class GpuClaimSpec(ApiModel):
    resource_claim_template_name: ObjectName
    """ResourceClaimTemplate in the service's namespace, by which each pod claims its GPU."""


class GpuSpec(ApiModel):
    count: Annotated[int, Field(ge=0, le=64)] = 1
    """GPUs of each pod. Must be 1, because one model runs on one GPU."""
    resource_name: Annotated[
        str,
        *text(
            rf"^{SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]$",
            "is not a valid extended resource name; for example nvidia.com/gpu",
            longest=200,
        ),
    ] = "nvidia.com/gpu"
    """Extended resource by which the nodes offer their GPUs: of a device plugin, or mapped by a DeviceClass."""
    claim: GpuClaimSpec | None = None
    """Claim of dynamic resource allocation by which the pods get their GPU; stands in for `resourceName`."""
    runtime_class_name: ObjectName | None = None
    """RuntimeClass of the pods, for clusters that need one for GPUs."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.count == 1",
            "spec.gpu.count must be 1, because one pod serves one model on one GPU: write 1 and raise spec.replicas",
            lambda self: self.count == 1,
        ),
        Rule(
            "!self.resourceName.contains('kubernetes.io/') && !self.resourceName.startsWith('requests.')",
            "spec.gpu.resourceName must not be one of Kubernetes' own resources: write the name that the device "
            "plugin offers, for example nvidia.com/gpu",
            lambda self: "kubernetes.io/" not in self.resource_name and not self.resource_name.startswith("requests."),
        ),
        Rule(
            "!has(self.claim) || self.resourceName == 'nvidia.com/gpu'",
            "spec.gpu.claim stands in for spec.gpu.resourceName: remove one of the two",
            lambda self: self.claim is None or self.resource_name == "nvidia.com/gpu",
        ),
    )

    @property
    def claim_template(self) -> str | None:
        """Name of the ResourceClaimTemplate; None where an extended resource is asked for."""
        return self.claim.resource_claim_template_name if self.claim else None

    @property
    def counted_as(self) -> str:
        """The name by which GPUs are counted: the extended resource's, or one for the claim's template."""
        return f"resourceclaimtemplates/{self.claim_template}" if self.claim_template else self.resource_name

    @property
    def device(self) -> str:
        """The GPU of one pod, as messages name it."""
        return f"a device for ResourceClaimTemplate {self.claim_template}" if self.claim else self.resource_name

    @property
    def asked_for(self) -> str:
        """The same, with the field that asks for it."""
        field = "spec.gpu.claim.resourceClaimTemplateName" if self.claim else "spec.gpu.resourceName"
        return f"{self.device}, named in {field}"


def requests_within_limits(message: str) -> Rule:
    """The rule that no request of a part with `requests` and `limits` exceeds its limit."""
    return Rule(
        "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || "
        "!quantity(string(self.requests[name])).isGreaterThan(quantity(string(self.limits[name]))))",
        message,
        lambda self: all(
            quantity(amount) <= quantity(self.limits.get(name, amount)) for name, amount in self.requests.items()
        ),
    )


class ResourcesSpec(ApiModel):
    requests: ResourceList = Field(default_factory=dict[str, str | int])
    """Requests of the server's container; resources that are absent come from the table by model and device."""
    limits: ResourceList = Field(default_factory=dict[str, str | int])
    """Limits of the server's container; resources that are absent come from the table by model and device."""

    rules: ClassVar[tuple[Rule, ...]] = (
        requests_within_limits(
            "spec.resources.requests exceed spec.resources.limits: lower the request or raise the limit"
        ),
    )


class SchedulingSpec(ApiModel):
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


class PodMetadataSpec(ApiModel):
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of every pod, beside the operator's."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of every pod; they take precedence over the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = none_of_ours("spec.podMetadata", "labels", "annotations")


class ObjectMetadataSpec(ApiModel):
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of every object, beside the operator's; those of a part that has its own take precedence."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of every object; the operator's, and those of a part that has its own, take precedence."""

    rules: ClassVar[tuple[Rule, ...]] = none_of_ours("spec.objectMetadata", "labels", "annotations")


class ServiceAccountSpec(ApiModel):
    create: bool = True
    """Whether the operator creates the account."""
    name: ObjectName | None = None
    """Name of the account. Absent: the service's own."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of the account, such as the role of a cloud's workload identity."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.create || has(self.name)",
            "spec.serviceAccount.create is false, so the account has to exist: name it in spec.serviceAccount.name, "
            "or remove create",
            lambda self: self.create or self.name is not None,
        ),
        Rule(
            "self.create || !has(self.annotations) || size(self.annotations) == 0",
            "spec.serviceAccount.annotations are those of an account that the operator creates: annotate the existing "
            "one yourself, or remove spec.serviceAccount.create",
            lambda self: self.create or not self.annotations,
        ),
    )
