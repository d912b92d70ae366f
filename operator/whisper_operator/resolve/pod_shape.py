"""Whether a pod's spec has the shape that decisions about its place read: pure.

Parts of it are the user's own (spec.podTemplate, spec.scheduling) and reach the API server as they are. It refuses
those that are malformed, by the field's name; until then no decision may stumble over them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from whisper_operator.api.units import any_quantity


def _is_quantity(value: str | int | float) -> str | int | float:
    any_quantity(value)
    return value


Quantities = dict[str, Annotated[str | int | float, AfterValidator(_is_quantity)]]


class Loose(BaseModel):
    """A type of Kubernetes' API, of which only some fields are read."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Expression(Loose):
    key: str
    operator: str
    values: list[str] = Field(default_factory=list[str])


class Term(Loose):
    matchExpressions: list[Expression] | None = None
    matchFields: list[Expression] | None = None


class Required(Loose):
    nodeSelectorTerms: list[Term]


class NodeAffinity(Loose):
    requiredDuringSchedulingIgnoredDuringExecution: Required | None = None


class Affinity(Loose):
    nodeAffinity: NodeAffinity | None = None


class Toleration(Loose):
    key: str | None = None
    operator: str | None = None
    value: str = ""
    effect: str | None = None


class ContainerResources(Loose):
    requests: Quantities = Field(default_factory=Quantities)
    limits: Quantities = Field(default_factory=Quantities)


class Container(Loose):
    name: str = ""
    resources: ContainerResources = ContainerResources()


class PodSpec(Loose):
    priorityClassName: str | None = None
    nodeSelector: dict[str, str] = Field(default_factory=dict[str, str])
    affinity: Affinity = Affinity()
    tolerations: list[Toleration] = Field(default_factory=list[Toleration])
    containers: list[Container]
    initContainers: list[Container] = Field(default_factory=list[Container])


def is_well_formed(spec: Any) -> bool:
    try:
        PodSpec.model_validate(spec)
    except ValidationError:
        return False
    return True
