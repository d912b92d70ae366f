"""The kinds of rules of the installation's policy, and how one judges a spec. Pure.

`hack/generate/admission.py` writes the same rules in CEL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final, cast

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.policy import Policy

TAG_OR_DIGEST: Final = "(:[^/@]*)?(@.*)?"
"""Characters that may follow the repository of an image."""
REVISION: Final = "(@([-A-Za-z0-9_.]*|sha256:[0-9a-f]*))?"
"""Of a repository of the hub, or digest of a registry's; no other URL that the API takes has an @ where only this
follows."""
ASK: Final = "ask the operator's administrators to add it"
"""The end of a remedy."""
TEMPLATES: Final = ("spec.podTemplate", "spec.prefetch.podTemplate", "spec.verification.podTemplate")
"""Paths at which a spec patches a template of pods."""


@dataclass(frozen=True)
class Subject:
    """A spec as it is stored, and what judges it."""

    spec: Manifest
    name: str
    namespace: str
    policy: Policy

    def allows(self, setting: str, value: str, *, after: str = "") -> bool:
        return self.policy.allows(setting, value, self.namespace, after=after)

    @cached_property
    def templates(self) -> list[tuple[str, Any]]:
        """Path and content of each template of pods that the spec patches."""
        return [(place, value) for place in TEMPLATES for _, value in values_at({"spec": self.spec}, place) if value]


@dataclass(frozen=True)
class Allowed:
    """Each value at `path` has to match a pattern of the setting."""

    path: str
    """Dotted; `[]` after a list stands for its items, `{}` after annotations for their names."""
    setting: str
    remedy: str
    after: str = ""
    """Regular expression of what may follow the pattern."""


@dataclass(frozen=True)
class Denied:
    """No value at `path` may match a pattern of the setting."""

    path: str
    setting: str
    remedy: str


@dataclass(frozen=True)
class Special:
    """A rule that no path tells."""

    setting: str
    remedy: str
    cel: str
    """The fields that violate it with their values, each followed by a comma and a space; empty where none does."""
    find: Callable[[Subject], Iterator[str]]
    """The same."""


PolicyRule = Allowed | Denied | Special


def is_about(rule: PolicyRule, spec: Manifest) -> bool:
    """Whether `spec` has the part that the rule is about, which most specs leave out."""
    return isinstance(rule, Special) or _steps(rule.path)[1][0] in spec


def offences(rule: PolicyRule, subject: Subject) -> list[str]:
    """The fields that violate the rule, with their values."""
    match rule:
        case Allowed():
            found = values_at({"spec": subject.spec}, rule.path)
            return [
                f"{path} {shown(value)}".strip()
                for path, value in found
                if isinstance(value, str)
                and not is_free(rule.path, value)
                and not subject.allows(rule.setting, value, after=rule.after)
            ]
        case Denied():
            found = values_at({"spec": subject.spec}, rule.path)
            return [
                f"{path} {shown(value)}"
                for path, value in found
                if isinstance(value, str) and subject.allows(rule.setting, value)
            ]
        case Special():
            return list(rule.find(subject))


def is_free(path: str, value: str) -> bool:
    """Whether the value is an annotation's name without a prefix.

    Such names are for their author: programs have to use a prefix
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/).
    """
    return path.endswith("{}") and "/" not in value


def values_at(holder: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each value at a path, with the path as the manifest has it; none where it is absent or of another shape."""
    return _values(holder, _steps(path), "")


@cache
def _steps(path: str) -> tuple[tuple[str, str], ...]:
    """The names in a path of a rule, each with `[]` or `{}` where that follows it."""
    steps = path.split(".")
    return tuple((name := step.rstrip("[]{}"), step.removeprefix(name)) for step in steps)


def _values(holder: Any, steps: tuple[tuple[str, str], ...], at: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        if holder is not None:
            yield at, holder
        return
    (name, parts), rest = steps[0], steps[1:]
    if not isinstance(holder, dict) or name not in holder:
        return
    value, below = cast(Manifest, holder)[name], f"{at}.{name}" if at else name
    if parts == "[]":
        for place, item in enumerate(cast(list[Any], value) if isinstance(value, list) else []):
            yield from _values(item, rest, f"{below}[{place}]")
    elif parts == "{}":
        for key in cast(Manifest, value) if isinstance(value, dict) else {}:
            yield below, key
    else:
        yield from _values(value, rest, below)


def shown(value: Any) -> str:
    """A value as messages repeat it; a URL without its query, which may hold credentials; empty for an object."""
    if isinstance(value, str):
        return f"'{value.split('?')[0]}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else ""
