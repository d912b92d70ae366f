"""The building blocks of the API's models: closed immutable models, validation rules, bounded strings and lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

VALIDATIONS: Final = "x-kubernetes-validations"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"
LONGEST_SHOWN: Final = 80
"""Characters of a refused value that its message repeats."""


@dataclass(frozen=True)
class Rule:
    """A rule across fields: in CEL for the API server, in Python for `check` and for objects older than the rule."""

    cel: str
    message: str
    """Names the field and the remedy."""
    holds: Callable[[Any], bool]


def without_nulls(body: Any) -> Any:
    """Drop the nulls of a map: to the API server, a field that is null is absent."""
    if not isinstance(body, dict):
        return body
    fields = cast(dict[str, Any], body)
    return {name: value for name, value in fields.items() if value is not None} if None in fields.values() else fields


class ApiModel(BaseModel):
    """Base of every object of the API: camelCase in manifests, immutable, and closed to unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        # As the API server does: a string is never converted to a number, nor a number to a boolean.
        strict=True,
        use_attribute_docstrings=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, body: Any) -> Any:
        return without_nulls(body)

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """The object itself, which never changes: pydantic copies the default of each field that is left out."""
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler.resolve_ref_schema(handler(schema))
        if cls.rules:
            found[VALIDATIONS] = [{"rule": rule.cel, "message": rule.message} for rule in cls.rules]
        return found


def validated(cel: str, message: str) -> dict[str, Any]:
    """The schema's part that refuses a value for which `cel` is false; the API server names field and value itself."""
    return {VALIDATIONS: [{"rule": cel, "message": message}]}


def cel_list(values: Iterable[str]) -> str:
    """A literal list of strings in CEL."""
    return "[" + ", ".join(f"'{value}'" for value in values) + "]"


def shown(value: str) -> str:
    """`value` as a message may repeat it: quoted, cut, and without a URL's credentials."""
    return repr(re.sub("//[^/]*@", "//…@", value)[:LONGEST_SHOWN])


def text(pattern: str, problem: str, *, longest: int) -> tuple[Any, AfterValidator]:
    """Annotations of a string of at most `longest` characters that must match `pattern`.

    `problem` ends the message for a string that does not; it begins with a verb: "is not a valid tag; for example 1.2".
    """

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{shown(value)} {problem}")
        return value

    cel = pattern.replace("\\", "\\\\")
    field = Field(max_length=longest, json_schema_extra=validated(f"self.matches('{cel}')", problem))
    return field, AfterValidator(check)


def of_either_type(problem: str) -> WrapValidator:
    """Annotation of a union whose message names the manifest's field, and not each of the union's types below it.

    `problem` ends the message; it begins with a verb: "is neither auto nor a whole number; for example 8".
    """

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            found = shown(value) if isinstance(value, str) else repr(value)[:LONGEST_SHOWN]
            raise ValueError(f"{found} {problem}") from None

    return WrapValidator(check)


def at_most(count: int, *, key: str = "") -> tuple[Any, ...]:
    """Annotations of a tuple of at most `count` items, which is a list in JSON.

    `key` names the field that identifies an item to the API server: no two items may have the same value of it.
    """
    if not key:
        return (Field(max_length=count, strict=False),)

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        found = [getattr(item, key) for item in items]
        if len(set(found)) < len(found):
            repeated = sorted({value for value in found if found.count(value) > 1})
            raise ValueError(f"{key} {', '.join(repeated)} occurs more than once: remove the duplicates")
        return items

    by_key: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
    return Field(max_length=count, strict=False, json_schema_extra=by_key), AfterValidator(check)
