"""What every part of the API is made of: closed immutable models, bounded scalars, rules with sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from whisper_operator.api.units import (
    DURATION_PATTERN,
    MAX_DURATION_SECONDS,
    SIZE_PATTERN,
    duration_seconds,
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


def without_nulls(body: Any) -> Any:
    """To the API server, a null is a field that is absent."""
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in cast(dict[str, Any], body).items() if value is not None}


class Part(BaseModel):
    """A part of the API: camelCase outside, snake_case inside, immutable, and closed to unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        # As the API server: no number from a text, no truth from a number.
        strict=True,
        use_attribute_docstrings=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _as_the_api_server_reads_it(cls, body: Any) -> Any:
        return without_nulls(body)

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


def validated(cel: str, message: str) -> dict[str, Any]:
    return {VALIDATIONS: [{"rule": cel, "message": message}]}


def text(pattern: str, must: str, *, longest: int) -> tuple[AfterValidator, Any]:
    """What `Annotated` adds to a string that must match `pattern`; `must` is the sentence for one that does not."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(must)
        return value

    cel = pattern.replace("\\", "\\\\")
    return AfterValidator(check), Field(max_length=longest, json_schema_extra=validated(f"self.matches('{cel}')", must))


def at_most(count: int, *, key: str = "") -> tuple[Any, ...]:
    """What `Annotated` adds to a tuple of at most `count` items, which JSON writes as a list.

    `key`: the field by which the API server tells the items apart, so that no two may have the same.
    """
    if not key:
        return (Field(max_length=count, strict=False),)

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        there = [getattr(item, key) for item in items]
        if twice := sorted({one for one in there if there.count(one) > 1}):
            raise ValueError(f"{key} {', '.join(twice)} is there twice: remove one of them")
        return items

    by_key: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
    return Field(max_length=count, strict=False, json_schema_extra=by_key), AfterValidator(check)


Duration = Annotated[
    str,
    _checked_by(duration_seconds),
    Field(
        max_length=20,
        json_schema_extra=validated(
            f"self.matches('{DURATION_PATTERN}') && duration(self) >= duration('1s')"
            f" && duration(self) <= duration('{MAX_DURATION_SECONDS}s')",
            "is no duration between 1s and 720h: write it like 30s, 10m or 1h30m",
        ),
    ),
]

_SIZE_CEL = (
    f"self.matches('{SIZE_PATTERN.replace(chr(92), chr(92) * 2)}') && !quantity(self).isLessThan(quantity('1'))"
    " && quantity(self).isLessThan(quantity('1Ei'))"
)

Size = Annotated[
    str,
    _checked_by(size_bytes),
    Field(
        max_length=20,
        json_schema_extra=validated(
            _SIZE_CEL,
            "is no size: write it like 512Ki, 100Mi or 10Gi",
        ),
    ),
]

CacheSize = Annotated[
    str,
    _checked_by(lambda value: value == "auto" or size_bytes(value)),
    Field(
        max_length=20,
        json_schema_extra=validated(
            f"self == 'auto' || ({_SIZE_CEL})",
            "is neither auto nor a size: write it like 10Gi",
        ),
    ),
]

BatchSize = Annotated[
    Literal["auto"] | Annotated[int, Field(ge=1, le=256)],
    Field(
        json_schema_extra={
            INT_OR_STRING: True,
            **validated(
                "type(self) == int ? int(self) >= 1 && int(self) <= 256 : string(self) == 'auto'",
                "is neither auto nor a number from 1 to 256",
            ),
        }
    ),
]

_PERCENT = "^(100|[0-9]{1,2})%$"

CountOrPercent = Annotated[
    Annotated[int, Field(ge=0, le=1000)] | Annotated[str, Field(pattern=_PERCENT)],
    Field(json_schema_extra={INT_OR_STRING: True, "pattern": _PERCENT, "minimum": 0, "maximum": 1000}),
]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_OF_LETTERS = "[a-z]([-a-z0-9]*[a-z0-9])?|[0-9]+[a-z]([-a-z0-9]*[a-z0-9])?"
"""A host's last one: of digits alone it would be a part of an IP address, which Kubernetes takes for no host."""
SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
"""RFC 1123's, by which Kubernetes names objects."""

ObjectName = Annotated[
    str,
    *text(
        f"^{SUBDOMAIN}$",
        "is no object's name: write lower-case letters, digits, hyphens, and dots between them",
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
        rf"^(\*\.)?({_LABEL}\.)*({_LABEL_OF_LETTERS})$",
        "is no host name: write it like speech.example.com, without scheme, port and path, and no address",
        longest=253,
    ),
]
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
