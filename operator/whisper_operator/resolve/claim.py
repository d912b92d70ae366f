"""A claim that pods of a service mount, live and as the spec wants it: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.objects.manifest import annotations_of, status_of
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.asked_claim import AskedClaim, class_of_new

MANY_NODES: Final = frozenset({"ReadWriteMany", "ReadOnlyMany"})
ONE_POD: Final = frozenset({"ReadWriteOncePod"})


@dataclass(frozen=True)
class ClaimState:
    wanted: AskedClaim
    live: Manifest | None
    """The service's own, or the one that its spec names; None: there is none yet."""
    is_own: bool
    """Whether the operator makes it: pods mount it, and the spec names no other."""
    phase: str
    """Pending, Bound or Lost; empty where there is no claim."""
    asked: str | None
    """The spec's wish when it was made, or asks now if it is to be; None where an earlier release made it."""
    makes_way: bool
    """Whether the live one, which has no volume yet, is not what the spec asks for: another one is made."""
    is_to_be_made: bool
    """Whether a claim of ours still has to be made."""
    modes: frozenset[str]
    """Access modes of the one that is to be made, else of the live one; empty where there is neither."""
    storage_class: Manifest | None
    """The StorageClass of the one that is to be made, else of the live one; None where it is not known."""
    can_grow: bool
    """Whether the live one's class allows it; where classes may not be read, the API server decides."""

    @property
    def name(self) -> str:
        """The name of the service's own claim, or of the one that its spec names; it may not exist yet."""
        return self.wanted.name

    @property
    def ties_to_one_node(self) -> bool:
        """Whether only the pods of one node can mount it."""
        return bool(self.modes) and not MANY_NODES & self.modes

    @property
    def is_on_one_node(self) -> bool:
        """Whether the pods mount a claim that ties them to one node."""
        return self.wanted.is_mounted and self.ties_to_one_node

    @property
    def is_of_one_pod(self) -> bool:
        """Whether the pods mount a claim that only one of them can mount at a time."""
        return self.wanted.is_mounted and self.modes == ONE_POD

    @property
    def binds_at_first_use(self) -> bool:
        """Whether it gets its volume where its first pod is."""
        return (self.storage_class or {}).get("volumeBindingMode") == "WaitForFirstConsumer"


def resolve_claim(wanted: AskedClaim, observed: Observed) -> ClaimState:
    live, is_own = live_claim(wanted, observed), wanted.is_mounted and not wanted.existing
    makes_way = is_own and live is not None and not has_volume(live) and not _is_as_asked(live, wanted)
    is_to_be_made = is_own and (live is None or makes_way)
    storage_class = _class(None if is_to_be_made else live, wanted, observed.facts)
    modes = {wanted.access_mode} if is_to_be_made else live["spec"]["accessModes"] if live else ()
    return ClaimState(
        wanted=wanted,
        live=live,
        is_own=is_own,
        phase=status_of(live).get("phase", ""),
        asked=wanted.wish if live is None or makes_way else asked_of(live),
        makes_way=makes_way,
        is_to_be_made=is_to_be_made,
        modes=frozenset(modes),
        storage_class=storage_class,
        can_grow=observed.facts.storage_classes is None or bool((storage_class or {}).get("allowVolumeExpansion")),
    )


def live_claim(wanted: AskedClaim, observed: Observed) -> Manifest | None:
    """The claim of that name; None where it does not exist, or the claim that the spec names was not looked up."""
    return observed.facts.claims.get(wanted.existing) if wanted.existing else observed.get(CLAIM, wanted.own_name)


def has_volume(claim: Manifest) -> bool:
    """Whether a volume is bound to the claim, was, or is reserved for it: there may be data in it."""
    return bool(claim["spec"].get("volumeName")) or status_of(claim).get("phase", "Pending") != "Pending"


def asked_of(claim: Manifest) -> str | None:
    """Returns the spec's wish when the claim was made; None where an earlier release made it, or somebody else."""
    return annotations_of(claim).get(names.ANNOTATION_ASKED)


def requested_size(claim: Manifest) -> str:
    """The size that a live claim asks for, as the API server writes it; its volume may be larger."""
    return claim["spec"]["resources"]["requests"]["storage"]


def _is_as_asked(live: Manifest, wanted: AskedClaim) -> bool:
    """Whether the live claim was made for what the spec asks now.

    The annotation knows, whatever an admission policy made of the claim; without it, the claim itself is compared.
    """
    if before := asked_of(live):
        return before == wanted.wish
    is_of_class = wanted.storage_class is None or wanted.storage_class == live["spec"].get("storageClassName")
    is_of_mode = live["spec"]["accessModes"] == [wanted.access_mode]
    return is_of_class and is_of_mode and any_quantity(requested_size(live)) == any_quantity(wanted.size)


def _class(live: Manifest | None, wanted: AskedClaim, facts: Facts) -> Manifest | None:
    """The StorageClass of the live claim, or of a new one; None where it is not known."""
    if live is None:
        return class_of_new(wanted.storage_class, facts)
    return (facts.storage_classes or {}).get(live["spec"].get("storageClassName", ""))
