"""Specs as the tests of the API write them, and what the models say of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from whisper_operator.api.base import ApiModel
from whisper_operator.api.explain import explain
from whisper_operator.api.v1alpha1 import Spec, WhisperService


def accepted(**spec: Any) -> Spec:
    """The parsed spec, whose model is `base` unless `spec` names another; raises ValidationError."""
    model = {"name": "base"} | spec.get("model", {})
    return WhisperService.parse({"metadata": {"name": "speech"}, "spec": {**spec, "model": model}}).spec


def refused(**spec: Any) -> str:
    """The explanation by which the models refuse the spec."""
    with pytest.raises(ValidationError) as error:
        accepted(**spec)
    return explain(error.value)


def setting(field: str, value: Any, **beside: Any) -> dict[str, Any]:
    """A spec that sets the field of that path, such as `server.requestTimeout`, and the fields beside it."""
    *parents, name = field.split(".")
    return reduce(lambda inner, parent: {parent: inner}, reversed(parents), {name: value, **beside})


def manifest(part: ApiModel) -> dict[str, Any]:
    """The part as a manifest with every field; None: the field is absent."""
    return part.model_dump(mode="json", by_alias=True)


def kept(of: Any, value: Any) -> Any:
    """The value as a field of the type `of` keeps it; raises ValidationError."""
    strict = None if isinstance(of, type) and issubclass(of, BaseModel) else ConfigDict(strict=True)
    return TypeAdapter(of, config=strict).validate_python(value)


def problem(of: Any, value: Any) -> str:
    """The explanation by which a field of the type `of` refuses a value."""
    with pytest.raises(ValidationError) as error:
        kept(of, value)
    return explain(error.value)


def assert_range(field: str, least: float, most: float, *, step: float = 1, **beside: Any) -> None:
    """Asserts that a number is accepted at its bounds, and refused one step beyond by its field and the bound."""
    for bound in (least, most):
        accepted(**setting(field, bound, **beside))
    below, above = (refused(**setting(field, beyond, **beside)) for beyond in (least - step, most + step))
    assert f"spec.{field}: Input should be greater than or equal to {least}" in below
    assert f"spec.{field}: Input should be less than or equal to {most}" in above


def assert_longest(field: str, longest: int, of: Callable[[int], Any], **beside: Any) -> None:
    """Asserts that so many characters, items or entries, which `of` makes, are accepted, and one more is refused."""
    accepted(**setting(field, of(longest), **beside))
    assert refused(**setting(field, of(longest + 1), **beside)).startswith(f"spec.{field}: ")
    assert f"should have at most {longest} " in refused(**setting(field, of(longest + 1), **beside))


def assert_choices(field: str, *choices: str, **beside: Any) -> None:
    """Asserts that each choice is accepted beside parts of the spec, and any other refused by a list of the choices."""
    for choice in choices:
        accepted(**{**setting(field, choice), **beside})
    assert refused(**setting(field, choices[0].swapcase())) == f"spec.{field}: Input should be {_listed(choices)}"


def _listed(choices: tuple[str, ...]) -> str:
    *first, last = [f"'{choice}'" for choice in choices]
    return f"{', '.join(first)} or {last}"


def letters(count: int) -> str:
    return "a" * count


def entries(count: int) -> dict[str, str]:
    """A map of that many labels or annotations."""
    return {f"a{number}": "" for number in range(count)}


def objects(count: int) -> list[dict[str, Any]]:
    """A list of that many objects that only Kubernetes validates."""
    return [{}] * count
