"""Inputs of decisions that are in no WhisperService: the installation's settings and the cluster's APIs."""

from __future__ import annotations

from dataclasses import dataclass, field

from whisper_operator.objects.kinds import CHILD_KINDS, Kind
from whisper_operator.observe.defaults import NO_DEFAULTS, Defaults
from whisper_operator.observe.policy import Policy


@dataclass(frozen=True)
class Installation:
    runtime_image: str
    """Image of the runtime where `spec.image` names none."""
    kinds: frozenset[Kind] = field(default_factory=lambda: frozenset(CHILD_KINDS))
    """The child kinds that the cluster serves."""
    has_route_timeouts: bool = True
    """Whether its HTTPRoute has time-outs, which are Standard since Gateway API 1.2."""
    fs_group: int | None = 65532
    """Group of the model cache's files; None where the platform assigns one (OpenShift)."""
    cluster_networks: tuple[str, ...] = ()
    """Networks of pods, services and nodes whose addresses are public: no client's URL may lead there."""
    policy: Policy | None = None
    """Limits what a spec may ask for; None: nothing does."""
    defaults: Defaults = NO_DEFAULTS
    """Completes the spec of each service."""
