"""Patches that take back what somebody edited of a live object, and leave what others added to it: pure."""

from __future__ import annotations

from collections.abc import Collection

from whisper_operator.objects.diff import LIST_KEYS, JsonValue, by_key, field_path


def restored(wanted: JsonValue, live: JsonValue, edits: Collection[str], path: str = "") -> JsonValue:
    """`wanted` as a JSON merge patch of `live` that takes back what was edited, and leaves what others added.

    `edits`: the paths of what was edited. An item of a list that was edited has the wanted fields alone (`keeping`).
    """
    if isinstance(wanted, dict):
        there = live if isinstance(live, dict) else {}
        gone = [name for name in there if name not in wanted and field_path(path, name) in edits]
        return {
            **{name: restored(value, there.get(name), edits, field_path(path, name)) for name, value in wanted.items()},
            **dict.fromkeys(gone),
        }
    keys = LIST_KEYS.get(path.rpartition(".")[2])
    if not isinstance(wanted, list) or keys is None:
        return wanted
    wanted_by, live_by = by_key(wanted, keys), by_key(live if isinstance(live, list) else [], keys)
    if wanted_by is None or live_by is None:
        return wanted
    found: list[JsonValue] = []
    for key, item in live_by.items():
        at = f"{path}[{key}]"
        if key in wanted_by:
            is_edited = any(edit.startswith(at) for edit in edits)
            found.append(restored(wanted_by[key], item, edits, at) if is_edited else item)
        elif at not in edits:
            found.append(item)
    return [*found, *(item for key, item in wanted_by.items() if key not in live_by)]


def keeping(live: JsonValue, patch: JsonValue, name: str = "") -> JsonValue:
    """`patch`, with the fields that the items of its lists have in `live` and that it does not remove.

    A merge patch replaces a list, and with it what a policy or the API server added to one of its items. `name`: of the
    field where both are.
    """
    if isinstance(patch, dict):
        there = live if isinstance(live, dict) else {}
        return {field: keeping(there.get(field), value, field) for field, value in patch.items()}
    keys = LIST_KEYS.get(name)
    if not isinstance(patch, list) or keys is None:
        return patch
    patched, live_by = by_key(patch, keys), by_key(live if isinstance(live, list) else [], keys)
    if patched is None or live_by is None:
        return patch
    return [merged(live_by.get(key), keeping(live_by.get(key), item)) for key, item in patched.items()]


def merged(live: JsonValue, patch: JsonValue) -> JsonValue:
    """`live` after a JSON merge patch. Source: https://www.rfc-editor.org/rfc/rfc7396#section-2"""
    if not isinstance(patch, dict):
        return patch
    found = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found
