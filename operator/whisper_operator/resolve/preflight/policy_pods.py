"""Judges the patches of pod templates by `policy.podTemplate`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from whisper_operator.resolve.preflight.policy_rules import Special, Subject, shown, values_at
from whisper_operator.resolve.preflight.policy_shape import (
    AFFINITY,
    NOTHING,
    OF_IMAGES,
    OURS,
    PLAIN_MOUNT,
    SHAPE,
    SHARED_MEMORY,
    Anything,
    DeniedKeys,
    Fields,
    Keys,
    ListOf,
    Matching,
    NotMatching,
    NotOurs,
    OneOf,
    OwnVolume,
    Positive,
    Shape,
    UnusedPath,
)

AFFINITY_PATH: Final = "spec.scheduling.affinity"


def _find(subject: Subject) -> Iterator[str]:
    match subject.policy.pod_template:
        case "Off":
            yield from (path for path, _ in subject.templates)
        case "Restricted":
            for path, template in subject.templates:
                yield from _Walk(subject, template).offences(template, SHAPE, path)
        case "Full":
            return


def _find_affinity(subject: Subject) -> Iterator[str]:
    """Of `spec.scheduling`, which is there whether a template may be patched or not."""
    if subject.policy.pod_template == "Full":
        return
    for path, affinity in values_at({"spec": subject.spec}, AFFINITY_PATH):
        yield from _Walk(subject, {}).offences(affinity, AFFINITY, path)


class _Walk:
    """Judges one template."""

    def __init__(self, subject: Subject, template: Any) -> None:
        self._subject = subject
        volumes: Any = next((value for _, value in values_at({"template": template}, "template.spec.volumes")), None)
        listed = cast(list[Any], volumes) if isinstance(volumes, list) else []
        self._volumes = [cast(dict[str, Any], one).get("name") for one in listed if isinstance(one, dict)]

    def offences(self, value: Any, shape: Shape, path: str) -> Iterator[str]:
        match shape:
            case Anything():
                return
            case Fields():
                yield from self._fields(value, shape, path)
            case ListOf():
                yield from self._items(value, shape, path)
            case Keys():
                yield from self._keys(value, path, lambda key: not self._is_allowed(key, shape.setting))
            case DeniedKeys():
                yield from self._keys(value, path, lambda key: self._subject.allows(shape.setting, key))
            case _:
                if not self._holds(value, shape):
                    yield f"{path} {shown(value)}".strip()

    def _holds(self, value: Any, shape: Shape) -> bool:
        match shape:
            case OneOf():
                return any(value == one and type(value) is type(one) for one in shape.values)
            case Positive():
                return isinstance(value, int) and not isinstance(value, bool) and value > 0
            case Matching():
                return value is None or self._is_text(value, shape.setting, shape.after)
            case NotMatching():
                return isinstance(value, str) and value != "" and not self._subject.allows(shape.setting, value)
            case NotOurs():
                return value not in OURS
            case OwnVolume():
                return value in self._volumes
            case UnusedPath():
                return isinstance(value, str) and _is_unused(value)
            case _:
                raise TypeError(f"{shape} has parts")

    def _is_text(self, value: Any, setting: str, after: str) -> bool:
        return isinstance(value, str) and self._subject.allows(setting, value, after=after)

    def _is_allowed(self, key: str, setting: str) -> bool:
        return "/" not in key or self._subject.allows(setting, key)

    def _fields(self, value: Any, shape: Fields, path: str) -> Iterator[str]:
        if value is None and not shape.is_hardened:
            return
        if not isinstance(value, dict):
            yield f"{path} {shown(value)}".strip()
            return
        if shape.required and shape.required not in value:
            yield f"{path}.{shape.required} ''"
        for key, inner in cast(dict[str, Any], value).items():
            if key in shape.of:
                yield from self.offences(inner, shape.of[key], f"{path}.{key}")
            elif not any(inner == one for one in NOTHING):
                yield f"{path}.{key} {shown(inner)}".strip()

    def _items(self, value: Any, shape: ListOf, path: str) -> Iterator[str]:
        if value is None:
            return
        if not isinstance(value, list):
            yield f"{path} {shown(value)}".strip()
            return
        for place, item in enumerate(cast(list[Any], value)):
            name: Any = cast(dict[str, Any], item).get("name") if isinstance(item, dict) else None
            yield from self.offences(item, shape.of, f"{path}[{name if isinstance(name, str) else place}]")

    def _keys(self, value: Any, path: str, is_refused: Callable[[str], bool]) -> Iterator[str]:
        if value is None:
            return
        if not isinstance(value, dict):
            yield f"{path} {shown(value)}".strip()
            return
        yield from (f"{path}.{key}" for key in cast(dict[str, Any], value) if is_refused(key))


def _is_unused(path: str) -> bool:
    return path == SHARED_MEMORY or bool(re.fullmatch(PLAIN_MOUNT, path) and not re.match(OF_IMAGES, path))


_REMEDY: Final = (
    "remove the field, or ask the operator's administrators for podTemplate: Full, which is the right to create pods"
)
RULES: Final = (
    Special("podTemplate", _REMEDY, "variables.podTemplateOffences", _find),
    Special("podTemplate", _REMEDY, "variables.affinityOffences", _find_affinity),
)
