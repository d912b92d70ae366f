"""What is wanted against what is there, whatever else the API server or others have added: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from whisper_operator.api.units import quantity

BOOKKEEPING: Final = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})
"""Fields of metadata that change with every write, or by none."""


def changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Each field that differs between two versions of an object, as `path: old → new`; what is absent is None."""
    if isinstance(after, dict) and isinstance(before, dict | None):
        old, new = cast(dict[str, Any], before or {}), cast(dict[str, Any], after)
        for name in sorted(old.keys() | new.keys()):
            if path != "metadata" or name not in BOOKKEEPING:
                yield from changes(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
    elif before != after:
        yield f"{path}: {before!r} → {after!r}"


def is_subset(wanted: Any, live: Any) -> bool:
    """Whether everything in `wanted` is in `live` too.

    An empty text may be absent, for the API server drops it; a quantity is equal in any spelling.
    """
    if wanted == live:  # most of every object is, and Python compares it faster than the steps below
        return True
    if isinstance(wanted, dict):
        fields = cast(dict[str, Any], wanted)
        if not isinstance(live, dict):
            return False
        there = cast(dict[str, Any], live)
        return all(is_subset(value, there.get(name)) for name, value in fields.items())
    if isinstance(wanted, list):
        return _is_sublist(cast(list[Any], wanted), cast(list[Any], live) if isinstance(live, list) else [])
    return (live is None and wanted in ("", None)) or _same_quantity(wanted, live)


def _is_sublist(wanted: list[Any], live: list[Any]) -> bool:
    """Lists of named things (containers, variables, ports) may have been added to; any other list must be the same."""
    if _names_are_unique(wanted) and _names_are_unique(live):
        there = {item["name"]: item for item in live}
        return all(item["name"] in there and is_subset(item, there[item["name"]]) for item in wanted)
    return len(wanted) == len(live) and all(map(is_subset, wanted, live))


def _names_are_unique(items: list[Any]) -> bool:
    found = (cast(dict[str, Any], item).get("name") for item in items if isinstance(item, dict))
    names = [name for name in found if name is not None]
    return len(names) == len(items) == len(set(names))


def _same_quantity(wanted: Any, live: Any) -> bool:
    if not isinstance(wanted, str | int) or not isinstance(live, str | int):
        return False
    try:
        return quantity(wanted) == quantity(live)
    except ValueError:
        return False
