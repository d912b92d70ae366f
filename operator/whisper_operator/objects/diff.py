"""Compares a wanted object with the live one, to which the API server and others may have added fields: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from whisper_operator.api.units import quantity

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
BOOKKEEPING: Final = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})
"""Fields of metadata that change with every write, or by none."""


def changes(before: JsonValue, after: JsonValue, path: str = "") -> Iterator[str]:
    """Each field that differs between two versions of an object, as `path: old → new`; None where there is none."""
    if isinstance(after, dict) and isinstance(before, dict | None):
        old, new = before or {}, after
        for name in sorted(old.keys() | new.keys()):
            if path != "metadata" or name not in BOOKKEEPING:
                yield from changes(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
    elif before != after:
        yield f"{path}: {before!r} → {after!r}"


def is_subset(wanted: JsonValue, live: JsonValue) -> bool:
    """Whether everything in `wanted` is in `live` too.

    An empty text may be absent, for the API server drops it; a quantity is equal in any spelling.
    """
    if wanted == live:
        return True
    if isinstance(wanted, dict):
        if not isinstance(live, dict):
            return False
        # Most fields are equal, and Python compares them faster than a call does.
        unequal = [name for name, value in wanted.items() if live.get(name) != value]
        return all(is_subset(wanted[name], live.get(name)) for name in unequal)
    if isinstance(wanted, list):
        return _is_sublist(wanted, live if isinstance(live, list) else [])
    return (live is None and wanted in ("", None)) or _same_quantity(wanted, live)


def _is_sublist(wanted: list[JsonValue], live: list[JsonValue]) -> bool:
    """Lists of named things (containers, variables, ports) may have been added to; any other list must be the same."""
    wanted_by_name, live_by_name = _by_name(wanted), _by_name(live)
    if wanted_by_name is None or live_by_name is None:
        return len(wanted) == len(live) and all(map(is_subset, wanted, live))
    return all(name in live_by_name and is_subset(item, live_by_name[name]) for name, item in wanted_by_name.items())


def _by_name(items: list[JsonValue]) -> dict[str, JsonValue] | None:
    """The items by their names; None where one has none, or two have the same."""
    found: dict[str, JsonValue] = {}
    for item in items:
        if isinstance(item, dict) and isinstance(name := item.get("name"), str):
            found[name] = item
    return found if len(found) == len(items) else None


def _same_quantity(wanted: JsonValue, live: JsonValue) -> bool:
    if not isinstance(wanted, str | int) or not isinstance(live, str | int):
        return False
    try:
        return quantity(wanted) == quantity(live)
    except ValueError:
        return False
