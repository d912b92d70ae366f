"""The live children of one WhisperService, as last seen, and the facts that they live among."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.kinds import POD, Kind
from whisper_operator.objects.manifest import labels_of
from whisper_operator.observe.facts import Facts


@dataclass(frozen=True)
class Observed:
    """Live objects by (kind, name): those of our labels, in the service's namespace, pods included."""

    objects: dict[tuple[str, str], Manifest] = field(default_factory=dict[tuple[str, str], Manifest])
    facts: Facts = field(default_factory=Facts)

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
