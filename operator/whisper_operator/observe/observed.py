"""The live children of one WhisperService, as last seen, and the facts that they live among."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.diff import Deviation, JsonValue, deviations
from whisper_operator.objects.field_owners import below, editors
from whisper_operator.objects.kinds import POD, Kind
from whisper_operator.objects.manifest import labels_of
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.records import Entry

ChildName = tuple[str, str]
"""Kind and name, in the service's namespace."""
Accepted = Mapping[ChildName, frozenset[Deviation]]


@dataclass(frozen=True)
class Observed:
    """The live objects of one service, pods included."""

    objects: dict[ChildName, Manifest] = field(default_factory=dict[ChildName, Manifest])
    facts: Facts = field(default_factory=Facts)
    accepted: Accepted = field(default_factory=dict[ChildName, frozenset[Deviation]])
    """Deviations that the API server and its policies made of an apply: no drift."""
    predecessors: frozenset[ChildName] = frozenset()
    """Children of a deleted service of the same name, whose end is waited for."""
    entries: tuple[Entry, ...] = ()
    """The cache's entries that the objects were decoded from: while they are the same, so are the objects."""

    def drift(self, kind: Kind, name: str, wanted: JsonValue, path: str = "") -> Iterator[Deviation]:
        """Returns what is not as in `wanted` of a live child, and not accepted; nothing where there is no such child.

        `path`: where `wanted` belongs in the child, as `spec.template`; empty: it is the whole of it.
        """
        body = self.objects.get((kind.kind, name))
        if body is None:
            return iter(())
        live: JsonValue = body
        owned = editors(body)
        for field_name in path.split(".") if path else ():
            live = live.get(field_name) if isinstance(live, dict) else None
            owned = [below(of, field_name) for of in owned]
        accepted = self.accepted.get((kind.kind, name), frozenset())
        return (found for found in deviations(wanted, live, path, owned) if found not in accepted)

    def get(self, kind: Kind, name: str) -> Manifest | None:
        return self.objects.get((kind.kind, name))

    def all(self, kind: Kind) -> Iterator[Manifest]:
        return (body for (of, _), body in self.objects.items() if of == kind.kind)

    def pods(self, component: str) -> list[Manifest]:
        """The pods of `component` (server, prefetch or verify), newest first."""
        return self._pods.get(component, [])

    @cached_property
    def _pods(self) -> dict[str, list[Manifest]]:
        """Every pod by its component, newest first."""
        found: dict[str, list[Manifest]] = {}
        for pod in sorted(self.all(POD), key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True):
            found.setdefault(labels_of(pod).get(names.LABEL_COMPONENT, ""), []).append(pod)
        return found
