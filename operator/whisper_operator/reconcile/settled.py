"""The inputs of each service's last pass, where that had nothing to do: the same again need no plan. No I/O.

docs/adr/0068-what-is-settled-is-not-planned-again.md says why that cannot go stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects.kinds import POD
from whisper_operator.objects.manifest import is_being_deleted
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Accepted, ChildName, Observed
from whisper_operator.observe.records import Entry, Key
from whisper_operator.resolve import rollout
from whisper_operator.resolve.resolved import Resolved

Mutations = Mapping[ChildName, Sequence[str]]
"""Of each child that others keep from being as it was applied: the paths of those fields."""


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything that a plan follows from, but for the time; of most objects their version alone."""

    service: str
    """Its resourceVersion."""
    children: tuple[Entry, ...]
    facts: Facts
    accepted: Accepted
    installation: Installation


class SettledPasses:
    """By service: the inputs of its last pass, where that had nothing to do and time alone changes nothing."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[PlanInputs, Mutations]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def find(self, key: Key, inputs: PlanInputs) -> Mutations | None:
        """The fields that the same inputs left to others; None where the inputs differ, which are then forgotten."""
        kept = self._kept.get(key)
        if kept is None or kept[0] != inputs:
            self.forget(key)
            return None
        return kept[1]

    def keep(self, key: Key, inputs: PlanInputs, mutated: Mutations) -> None:
        """Takes in that nothing is to be done about these inputs, now or later."""
        self._kept[key] = (inputs, mutated)

    def forget(self, key: Key) -> None:
        self._kept.pop(key, None)


def plan_inputs(service: WhisperService, observed: Observed, installation: Installation) -> PlanInputs:
    version = service.metadata.resource_version
    return PlanInputs(version, observed.entries, _by_versions(observed.facts), observed.accepted, installation)


def depends_on_time(resolved: Resolved) -> bool:
    """Whether time alone may bring something to do: a verification is repeated, a pod has looked for room, a child that
    is being deleted is overdue."""
    return (
        resolved.verification.retry_in is not None
        or rollout.seconds_until_no_room(resolved) is not None
        or any(kind != POD.kind and is_being_deleted(live) for (kind, _), live in resolved.observed.objects.items())
    )


def _by_versions(facts: Facts) -> Facts:
    """`facts` at no time, less what `facts.version` counts; of each object that was read, its version alone."""
    return replace(
        facts,
        now=0.0,
        nodes=None,
        storage_classes=None,
        slices=(),
        device_classes=None,
        quotas=None,
        limit_ranges=None,
        claims=_versions(facts.claims),
        claim_templates=_versions(facts.claim_templates),
        accounts=_versions(facts.accounts),
        gateways={at: _version(found) for at, found in facts.gateways.items()},
    )


def _versions(found: Mapping[str, Manifest | None]) -> dict[str, Manifest | None]:
    return {name: _version(body) for name, body in found.items()}


def _version(body: Manifest | None) -> Manifest | None:
    """What tells this version of an object from every other; None: it does not exist."""
    return body and {name: body["metadata"].get(name) for name in ("uid", "resourceVersion")}
