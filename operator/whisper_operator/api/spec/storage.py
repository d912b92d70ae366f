"""What the parts of the spec that keep files on a claim have in common: types of fields, and rules among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic.alias_generators import to_camel

from whisper_operator.api.base import Rule, text
from whisper_operator.api.maps import none_of_ours
from whisper_operator.api.scalars import SUBDOMAIN

StorageClassName = Annotated[
    str,
    *text(
        f"^({SUBDOMAIN})?$",
        "is not a valid StorageClass name; use lower-case letters, digits, hyphens, and dots between them",
        longest=253,
    ),
]
"""Empty: no class, for a volume that was made by hand."""
OF_A_NEW_CLAIM: Final = ("storage_class_name", "access_mode", "labels", "annotations")
"""Fields that speak of the claim that the operator makes."""


def claim_rules(part: str, *, retention: str, of_a_new_claim: Sequence[str] = OF_A_NEW_CLAIM) -> tuple[Rule, ...]:
    """The rules among the fields of `part`, a path of the spec with `type`, `size` (default auto) and the claim's own.

    `retention`: the part's default, which alone may stand where there is no claim. `of_a_new_claim`: the fields that
    have no use beside an existing one.
    """
    other = "Retain" if retention == "Delete" else "Delete"
    return (
        *(_of_a_claim(part, field) for field in ("existing_claim", *OF_A_NEW_CLAIM)),
        Rule(
            f"self.type == 'PersistentVolumeClaim' || self.retention == '{retention}'",
            f"{part}.retention {other} needs {part}.type PersistentVolumeClaim: set that type, or remove "
            f"{part}.retention",
            lambda self: self.type == "PersistentVolumeClaim" or self.retention == retention,
        ),
        *(_of_a_new_claim(part, field) for field in of_a_new_claim),
        Rule(
            "!has(self.existingClaim) || self.size == 'auto'",
            f"{part}.size has no use beside {part}.existingClaim, which is as its owner made it: remove one of the two",
            lambda self: self.existing_claim is None or self.size == "auto",
        ),
        *none_of_ours(part, "labels", "annotations"),
    )


def _of_a_claim(part: str, field: str) -> Rule:
    """The rule that a field is of that type alone: a flat union by `type`, as KEP-1027 has it."""
    name = to_camel(field)
    return Rule(
        f"self.type == 'PersistentVolumeClaim' || {_is_absent(name)}",
        f"{part}.{name} needs {part}.type PersistentVolumeClaim: set that type, or remove {part}.{name}",
        lambda self: self.type == "PersistentVolumeClaim" or getattr(self, field) in (None, {}),
    )


def _of_a_new_claim(part: str, field: str) -> Rule:
    """The rule that a field speaks of the claim that the operator makes."""
    name = to_camel(field)
    return Rule(
        f"!has(self.existingClaim) || {_is_absent(name)}",
        f"{part}.{name} has no use beside {part}.existingClaim, which is as its owner made it: remove one of the two",
        lambda self: self.existing_claim is None or getattr(self, field) in (None, {}),
    )


def _is_absent(name: str) -> str:
    return (
        f"(!has(self.{name}) || size(self.{name}) == 0)" if name in ("labels", "annotations") else f"!has(self.{name})"
    )
