"""What every part of the API is made of: closed immutable models, bounded scalars, rules with sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from whisper_operator.api.units import (
    DURATION_PATTERN,
    MAX_DURATION_SECONDS,
    QUANTITY_PATTERN,
    canonical_quantity,
    duration_seconds,
    quantity,
    size_bytes,
)

VALIDATIONS: Final = "x-kubernetes-validations"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"


@dataclass(frozen=True)
class Rule:
    """A rule across fields: in CEL for the API server, in Python for `check` and for objects older than the rule."""

    cel: str
    message: str
    """Names the field and the remedy."""
    holds: Callable[[Any], bool]


class Part(BaseModel):
    """A part of the API: camelCase outside, snake_case inside, immutable, and closed to unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        use_attribute_docstrings=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler.resolve_ref_schema(handler(schema))
        if cls.rules:
            found[VALIDATIONS] = [{"rule": rule.cel, "message": rule.message} for rule in cls.rules]
        return found


def _checked_by(parse: Callable[[Any], Any]) -> AfterValidator:
    """Keeps the value as the user wrote it, once `parse` has accepted it."""

    def check(value: Any) -> Any:
        parse(value)
        return value

    return AfterValidator(check)


def _validated(cel: str, message: str) -> dict[str, Any]:
    return {VALIDATIONS: [{"rule": cel, "message": message}]}


def text(pattern: str, must: str, *, longest: int) -> tuple[AfterValidator, Any]:
    """What `Annotated` adds to a string that must match `pattern`; `must` is the sentence for one that does not."""

    def check(value: str) -> str:
        if not re.match(pattern, value):
            raise ValueError(must)
        return value

    cel = pattern.replace("\\", "\\\\")
    return AfterValidator(check), Field(
        max_length=longest, json_schema_extra=_validated(f"self.matches('{cel}')", must)
    )


Duration = Annotated[
    str,
    _checked_by(duration_seconds),
    Field(
        max_length=20,
        json_schema_extra=_validated(
            f"self.matches('{DURATION_PATTERN}') && duration(self) >= duration('1s')"
            f" && duration(self) <= duration('{MAX_DURATION_SECONDS}s')",
            "is no duration between 1s and 720h: write it like 30s, 10m or 1h30m",
        ),
    ),
]

_QUANTITY_CEL = f"self.matches('{QUANTITY_PATTERN.replace(chr(92), chr(92) * 2)}')"

Size = Annotated[
    str,
    _checked_by(size_bytes),
    Field(
        max_length=20,
        json_schema_extra=_validated(
            f"{_QUANTITY_CEL} && !quantity(self).isLessThan(quantity('1'))",
            "is no size: write it like 512Ki, 100Mi or 10Gi",
        ),
    ),
]

CacheSize = Annotated[
    str,
    _checked_by(lambda value: value == "auto" or size_bytes(value)),
    Field(
        max_length=20,
        json_schema_extra=_validated(
            f"self == 'auto' || ({_QUANTITY_CEL} && !quantity(self).isLessThan(quantity('1')))",
            "is neither auto nor a size: write it like 10Gi",
        ),
    ),
]

BatchSize = Annotated[
    Literal["auto"] | Annotated[int, Field(ge=1, le=256)],
    Field(
        json_schema_extra={
            INT_OR_STRING: True,
            **_validated(
                "type(self) == int ? int(self) >= 1 && int(self) <= 256 : string(self) == 'auto'",
                "is neither auto nor a number from 1 to 256",
            ),
        }
    ),
]

CountOrPercent = Annotated[
    Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern="^[0-9]{1,3}%$")],
    Field(json_schema_extra={INT_OR_STRING: True, "pattern": "^[0-9]{1,3}%$"}),
]

Quantity = Annotated[
    str | int,
    AfterValidator(canonical_quantity),
    _checked_by(quantity),
    Field(json_schema_extra={INT_OR_STRING: True, "pattern": QUANTITY_PATTERN}),
]

ObjectName = Annotated[
    str,
    *text(
        r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
        "is no object's name: write lower-case letters, digits, hyphens and dots",
        longest=253,
    ),
]
DataKey = Annotated[
    str,
    *text(
        "^[-._a-zA-Z0-9]+$",
        "is no key of a Secret or ConfigMap: write letters, digits, '-', '_' and '.'",
        longest=253,
    ),
]
Host = Annotated[
    str,
    *text(
        r"^(\*\.)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
        "is no host name: write it like speech.example.com, without scheme, port and path",
        longest=253,
    ),
]
Line = Annotated[str, Field(max_length=1024)]
Mapping = Annotated[dict[str, Line], Field(max_length=64)]
"""Labels, annotations, selectors."""
Opaque = Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]
"""A type of Kubernetes' own API, which its API server validates where we pass it on."""


class LocalRef(Part):
    name: ObjectName
    """Name of the object, in the service's namespace."""


class KeyRef(Part):
    name: ObjectName
    """Name of the object, in the service's namespace."""
    key: DataKey
    """Key in its data."""
