"""Specs made from the API's own schema: whatever the models come to admit, these strategies come to write.

Nothing here names a field. The schema says the types, bounds, patterns and lists' keys; the examples and the golden
templates lend real fragments to the parts that the schema leaves open.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import yaml
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import ValidationError

from tests.support.hostile import texts
from whisper_operator.api.base import VALIDATIONS
from whisper_operator.api.crd import Schema
from whisper_operator.api.units import DURATION_PATTERN, MAX_DURATION_SECONDS
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, NAME_PATTERN, Spec, WhisperService

ROOT = Path(__file__).resolve().parents[3]
SCHEMA: Schema = Spec.model_json_schema(by_alias=True)
OPEN = "x-kubernetes-preserve-unknown-fields"
LARGEST = 2**53
"""The largest number that JSON's readers agree on."""

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def specs(draw: st.DrawFn, *, with_open_parts: bool = False) -> dict[str, Any]:
    """Specs that the models accept; without the parts that the schema leaves open, unless asked for."""
    spec = mended(draw(_whole(with_open_parts)))
    assume(spec is not None)
    return spec or {}


@functools.cache
def _whole(with_open_parts: bool) -> SearchStrategy[dict[str, Any]]:
    return values(SCHEMA, with_open_parts=with_open_parts)


def service(spec: Any, name: str = "speech", namespace: str = "default") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def names() -> SearchStrategy[str]:
    """Names that a WhisperService may have, the longest one among them."""
    return matching(NAME_PATTERN, {}) | st.just("a" * 40)


def mended(spec: dict[str, Any]) -> dict[str, Any] | None:
    """`spec` without the parts that a rule across fields refuses; None where nothing is left of it."""
    spec = copy.deepcopy(spec)
    for _ in range(100):
        try:
            WhisperService.parse(service(spec))
        except ValidationError as error:
            for mistake in error.errors():
                if not _without(spec, mistake["loc"][1:]) and len(spec) > 1:
                    # The rule speaks of the whole: the last part makes way.
                    spec.popitem()
        else:
            return spec
    return None


def _without(spec: dict[str, Any], path: tuple[int | str, ...]) -> bool:
    """Takes the part at `path` away, or the nearest above it that is there; False where that is the whole."""
    for length in range(len(path), 0, -1):
        holder: Any = spec
        try:
            for step in path[: length - 1]:
                holder = holder[step]
            del holder[path[length - 1]]
        except (KeyError, IndexError, TypeError):
            continue
        return True
    return False


def resolved(schema: Schema) -> Schema:
    """`schema` with its reference followed, and `X | None` taken as X: a null is one of the wrong values."""
    while "$ref" in schema:
        inner = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
        schema = {**inner, **{key: value for key, value in schema.items() if key != "$ref"}}
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return resolved({**options[0], **{key: value for key, value in schema.items() if key != "anyOf"}})
    return schema


def values(schema: Schema, *, with_open_parts: bool) -> SearchStrategy[Any]:
    """What `schema` admits, as far as it can be told without its rules across fields."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "anyOf" in schema:
        beside = {key: value for key, value in schema.items() if key not in ("anyOf", VALIDATIONS)}
        return st.one_of([values({**beside, **one}, with_open_parts=False) for one in schema["anyOf"]])
    match schema["type"]:
        case "object":
            return _objects(schema, with_open_parts)
        case "array":
            return _arrays(schema, with_open_parts)
        case "string":
            return strings(schema)
        case "integer":
            return numbers(schema)
        case "number":
            return st.floats(schema["minimum"], schema["maximum"], allow_nan=False)
        case "boolean":
            return st.booleans()
        case other:
            raise TypeError(f"no strategy for the type {other}: {schema}")


def numbers(schema: Schema) -> SearchStrategy[int]:
    least, most = schema.get("minimum", 0), schema.get("maximum", 10**6)
    return st.sampled_from([least, most]) | st.integers(least, most)


def strings(schema: Schema) -> SearchStrategy[str]:
    if pattern := pattern_of(schema):
        found = matching(pattern, schema)
        default = schema.get("default")
        return st.just(default) | found if isinstance(default, str) else found
    least, most = schema.get("minLength", 0), schema.get("maxLength", 300)
    return SEEDS.map(lambda seed: texts.anything(seed, least, most))


def pattern_of(schema: Schema) -> str | None:
    """The pattern that a string must match, from the schema or from the rule in CEL."""
    if "pattern" in schema:
        return schema["pattern"]
    for rule in schema.get(VALIDATIONS, ()):
        if found := re.search(r"(?<!!)self\.matches\('(.+?)'\)", rule["rule"]):
            return found.group(1).replace("\\\\", "\\")
    return None


def matching(pattern: str, schema: Schema) -> SearchStrategy[str]:
    """Strings that match, among them as long ones as are allowed."""
    if pattern == DURATION_PATTERN:
        return st.integers(1, MAX_DURATION_SECONDS).map(lambda seconds: f"{seconds % 60}s{seconds // 60}m")
    most = schema.get("maxLength", 300)
    return SEEDS.map(lambda seed: texts.matching(pattern, seed, most))


def _objects(schema: Schema, with_open_parts: bool) -> SearchStrategy[dict[str, Any]]:
    if schema.get(OPEN):
        return open_parts(schema["title"])
    if isinstance(inner := schema.get("additionalProperties"), dict):
        keys = matching(pattern_of(schema.get("propertyNames", {})) or "[a-z]{1,8}", schema.get("propertyNames", {}))
        return st.dictionaries(keys, values(inner, with_open_parts=False), max_size=3)
    properties = {
        name: values(part, with_open_parts=with_open_parts)
        for name, part in schema["properties"].items()
        if with_open_parts or not is_open(part)
    }
    for name, listed in _listed(schema):
        properties[name] = st.sampled_from(listed) | properties[name]
    required = {name: properties.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=properties)


def _listed(schema: Schema) -> Iterator[tuple[str, list[str]]]:
    """The fields for which a rule in CEL lists values."""
    for rule in schema.get(VALIDATIONS, ()):
        for name, found in re.findall(r"self\.(\w+) in \[([^\]]*)\]", rule["rule"]):
            yield name, re.findall("'([^']*)'", found)


def _arrays(schema: Schema, with_open_parts: bool) -> SearchStrategy[list[Any]]:
    items = values({"title": schema["title"], **resolved(schema["items"])}, with_open_parts=with_open_parts)
    keys = schema.get("x-kubernetes-list-map-keys")
    unique = (lambda item: tuple(item.get(key) for key in keys)) if keys else None
    most = schema["maxItems"]
    few = st.lists(items, max_size=min(most, 3), unique_by=unique)
    if unique:
        return few
    return few | items.map(lambda item: [item] * most)


def is_open(schema: Schema) -> bool:
    """Whether the schema leaves the part, or its items, to Kubernetes' own API server."""
    schema = resolved(schema)
    return bool(schema.get(OPEN)) or ("items" in schema and is_open(schema["items"]))


def open_parts(title: str) -> SearchStrategy[dict[str, Any]]:
    """JSON objects: of known words, deep ones, and real ones with a part of them exchanged for anything."""
    return SEEDS.map(lambda seed: _open_part(title, Random(seed)))


def _open_part(title: str, random: Random) -> dict[str, Any]:
    real = copy.deepcopy(random.choice(FRAGMENTS.get(title, [{}])))
    match random.randrange(5):
        case 0:
            return real
        case 1:
            return {random.choice(WORDS): anything(random, depth=4) for _ in range(random.randrange(4))}
        case 2:
            return functools.reduce(lambda inner, _: {"spec": inner}, range(100), {"spec": anything(random, depth=2)})
        case where:
            # At the top as often as below.
            places = [(real, key) for key in real] if where == 3 else list(_places(real))
            if places:
                holder, key = random.choice(places)
                holder[key] = anything(random, depth=3)
            return real


def anything(random: Random, depth: int) -> Any:
    """Any JSON value."""
    few = range(random.randrange(4) if depth else 0)
    match random.randrange(7):
        case 0:
            return None
        case 1:
            return random.random() < 0.5
        case 2:
            return random.choice((0, -1, 80, LARGEST, -LARGEST))
        case 3:
            return random.choice(WORDS)
        case 4:
            return texts.anything(random.randrange(2**32), 0, 300)
        case 5:
            return [anything(random, depth - 1) for _ in few]
        case _:
            return {random.choice(WORDS): anything(random, depth - 1) for _ in few}


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _fragments() -> Iterator[tuple[str, dict[str, Any]]]:
    """What the examples write into each open part, by its title; a pod template may be a whole one."""
    for file in sorted((ROOT / "examples").glob("*.yaml")):
        yield from _open_values(yaml.safe_load(file.read_text())["spec"], SCHEMA, "")
    for file in sorted((ROOT / "tests/golden").glob("*.yaml")):
        for body in yaml.safe_load_all(file.read_text()):
            if body["kind"] == "Deployment":
                yield SCHEMA["properties"]["podTemplate"]["title"], body["spec"]["template"]


def _open_values(value: Any, schema: Schema, title: str) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = resolved(schema)
    title = schema.get("title", title)
    if schema.get(OPEN):
        yield title, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if part := schema.get("properties", {}).get(name):
                yield from _open_values(inner, part, part.get("title", ""))
    elif isinstance(value, list):
        for inner in value:
            yield from _open_values(inner, schema["items"], title)


def _grouped(found: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for title, fragment in found:
        groups.setdefault(title, []).append(fragment)
    return groups


FRAGMENTS = _grouped(_fragments())
WORDS = sorted({key for holder, key in _places(list(FRAGMENTS.values())) if isinstance(holder, dict)})


def paths(spec: Any, schema: Schema) -> Iterator[tuple[Any, Any, Schema]]:
    """Every part of `spec` that the schema describes: its holder, its key there, and its schema."""
    schema = resolved(schema)
    if isinstance(spec, dict) and not schema.get(OPEN):
        for name, inner in spec.items():
            part = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(part, dict):
                yield spec, name, resolved(part)
                yield from paths(inner, part)
    elif isinstance(spec, list):
        for place, inner in enumerate(spec):
            yield spec, place, resolved(schema["items"])
            yield from paths(inner, schema["items"])
