"""A right spec with one part of it exchanged for something else: mostly wrong, by the schema's own bounds."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.support.hostile.schema import SCHEMA, is_open, paths, resolved, specs
from whisper_operator.api.crd import Schema

OTHERS: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    1.5,
    "",
    "0",
    "true",
    "🎙",
    "a\n",
    [],
    [1],
    {},
    {"a": "b"},
)
"""Something of every type; no 1.0, which the API server takes for an integer in most fields, and not in all."""


@st.composite
def exchanged(draw: st.DrawFn) -> Any:
    """Specs with one exchange; which values the models and the API server accept is for them to say, alike."""
    spec = copy.deepcopy(draw(specs()))
    whole = {"spec": spec}
    holder, key, schema = draw(st.sampled_from([(whole, "spec", resolved(SCHEMA)), *paths(spec, SCHEMA)]))
    holder[key] = draw(st.sampled_from(list(_changes(holder[key], schema))))
    return whole["spec"]


def _changes(value: Any, schema: Schema) -> Iterator[Any]:
    """Values in place of `value`: at the schema's bounds and beyond, incomplete, too much, and of another type."""
    if is_open(schema):
        yield value
        return
    yield from OTHERS
    for bound in ("minimum", "maximum"):
        if bound in schema:
            yield from (schema[bound] - 1, schema[bound], schema[bound] + 1)
    if isinstance(value, str):
        yield from _texts(value, schema.get("maxLength", 0))
    if isinstance(value, list):
        yield from (value * 2, (value * (schema["maxItems"] + 1))[: schema["maxItems"] + 1])
    if isinstance(value, dict):
        yield from _maps(value, schema.get("maxProperties", 0))


def _texts(value: str, most: int) -> Iterator[str]:
    yield from (f"{value}\n", f" {value}", f"{value}🎙", value.upper(), f"{value}..a", f"-{value}", f"{value}\u0085")
    yield from (value[:1] * most, value[:1] * (most + 1))


def _maps(value: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    yield {**value, "unknown": 1}
    yield {**value, "": "1"}
    for name in value:
        yield {key: inner for key, inner in value.items() if key != name}
    for count in (most, most + 1):
        yield {f"k{number}": next(iter(value.values()), "1") for number in range(count)}
