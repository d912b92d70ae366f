"""The types of maps that Kubernetes defines: labels, annotations, and amounts of resources."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from whisper_operator.api.base import INT_OR_STRING, Rule, of_either_type, shown, text, validated, without_nulls
from whisper_operator.api.scalars import SUBDOMAIN
from whisper_operator.api.units import QUANTITY_PATTERN, canonical_quantity

QUALIFIED_NAME: Final = rf"({SUBDOMAIN}/)?([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]"
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set"""
LONGEST_KEY: Final = 253
OURS: Final = "^(app[.]kubernetes[.]io/(name|instance|component|managed-by)|whisper-operator[.]io/.*)$"
"""Labels and annotations that the operator sets: selectors and decisions rest on them."""


def _keys(pattern: str, problem: str, *, most: int) -> tuple[Any, BeforeValidator, AfterValidator]:
    """Annotations of a map of at most `most` entries whose keys match `pattern`.

    `problem` ends the message for a key that does not; it begins with a verb.
    """

    def check(entries: dict[str, Any]) -> dict[str, Any]:
        for key in entries:
            if len(key) > LONGEST_KEY or not re.fullmatch(pattern, key):
                raise ValueError(f"{shown(key)} {problem}")
        return entries

    cel = pattern.replace("\\", "\\\\")
    field = Field(
        max_length=most,
        json_schema_extra={
            "propertyNames": {"pattern": pattern, "maxLength": LONGEST_KEY},
            **validated(
                f"self.all(key, size(key) <= {LONGEST_KEY} && key.matches('{cel}'))", f"has a key that {problem}"
            ),
        },
    )
    return field, BeforeValidator(without_nulls), AfterValidator(check)


_LABEL_KEYS = _keys(
    f"^{QUALIFIED_NAME}$", "is not a valid name of a label or annotation; for example team or example.com/team", most=56
)
"""56 values of 1,024 characters stay within the 256 KiB of an object's annotations, whatever the script."""

LabelValue = Annotated[
    str,
    *text(
        "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
        "is not a valid label value; use at most 63 letters, digits, '-', '_' and '.'",
        longest=63,
    ),
]
Labels = Annotated[dict[str, LabelValue], *_LABEL_KEYS]
Annotations = Annotated[dict[str, Annotated[str, Field(max_length=1024)]], *_LABEL_KEYS]

Quantity = Annotated[
    str | int,
    of_either_type("is neither a whole number nor a string; for example 2, 500m or '0.5', in quotes"),
    AfterValidator(canonical_quantity),
    Field(
        json_schema_extra={
            INT_OR_STRING: True,
            "pattern": QUANTITY_PATTERN,
            "maxLength": 20,
            "minimum": 0,
            "maximum": 10**15 - 1,
            **validated(
                "quantity(string(self)).isLessThan(quantity('1Ei'))",
                "is not a quantity below 1Ei; for example 250m, 2, 512Mi or 10Gi",
            ),
        }
    ),
]
ResourceList = Annotated[
    dict[str, Quantity],
    *_keys(
        "^(cpu|memory|ephemeral-storage)$",
        "is not a resource of this field; use cpu, memory or ephemeral-storage, request a GPU by spec.gpu, and "
        "anything else by spec.podTemplate",
        most=16,
    ),
]


def none_of_ours(part: str, *fields: str) -> tuple[Rule, ...]:
    """The rules that maps of a part of the spec, such as `spec.podMetadata`, set none of the operator's own keys.

    `fields`: names of those maps, which are the same in a manifest and in Python.
    """
    return tuple(
        Rule(
            f"!has(self.{field}) || self.{field}.all(key, !key.matches('{OURS}'))",
            f"{part}.{field} must not set one of the operator's, such as app.kubernetes.io/name, "
            "app.kubernetes.io/instance or whisper-operator.io/service: remove it",
            lambda self, field=field: not any(re.match(OURS, key) for key in getattr(self, field)),
        )
        for field in fields
    )
