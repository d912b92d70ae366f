"""The checks before pods are started: each a pure function that finds one thing wrong, and says what to do.

A finding that `holds` keeps pods and volumes back, for what they would become could not be mended later. A lack of
capacity never holds: only a pending pod makes a cluster's autoscaler add the node (docs/adr/0005-preflight.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.preflight import capacity, config_maps, exposure, limits, secrets, storage
from whisper_operator.resolve.preflight.finding import Check, Finding

CHECKS: Final[tuple[Check, ...]] = (
    secrets.api_keys,
    secrets.source_secret,
    config_maps.source_authority,
    config_maps.golden_clip,
    storage.source_claim,
    storage.existing_claim,
    storage.storage_class,
    storage.cache_size,
    exposure.fetch_route,
    secrets.pull_secrets,
    secrets.tls_secret,
    exposure.host,
    storage.access_mode,
    capacity.gpu_there,
    capacity.gpu_memory,
    capacity.memory,
    limits.quota,
    limits.limit_range,
)
"""A check more is one function in `checks/` and one line here."""
OF_THE_CLUSTER: Final[frozenset[Check]] = frozenset(
    {exposure.host, storage.storage_class, capacity.gpu_there, capacity.gpu_memory, capacity.memory}
)
"""Checks that need what only the whole cluster's scope shows."""


@dataclass(frozen=True)
class Row:
    """One line of the checklist."""

    name: str
    passed: bool | None
    """None: it could not be checked."""
    message: str


LOOKED_UP: Final[tuple[Check, ...]] = (
    secrets.api_keys,
    secrets.source_secret,
    secrets.pull_secrets,
    secrets.tls_secret,
    config_maps.source_authority,
    config_maps.golden_clip,
    storage.source_claim,
    storage.existing_claim,
)
"""Those of what is read when a pass asks for it, and watched by nobody."""


def findings(service: WhisperService, observed: Observed) -> list[Finding]:
    """Everything that is wrong, what holds the pods back first."""
    found = [finding for check in CHECKS if (finding := check(service, observed))]
    return sorted(found, key=lambda finding: not finding.holds)


def rows(service: WhisperService, observed: Observed) -> list[Row]:
    """Every check with what came of it, in the order of CHECKS."""
    found = ((check, check(service, observed)) for check in CHECKS)
    return [_row(check, finding, observed.facts) for check, finding in found]


def _row(check: Check, finding: Finding | None, facts: Facts) -> Row:
    name = check.__name__.replace("_", " ")
    if finding:
        return Row(name, False, finding.message)
    if check in OF_THE_CLUSTER and facts.nodes is None:
        return Row(name, None, "only namespaces may be read")
    return Row(name, True, "")


def holds(service: WhisperService, observed: Observed) -> bool:
    return any(finding.holds for finding in findings(service, observed))


def judgement(service: WhisperService, observed: Observed) -> Judgement:
    """The condition PreflightPassed."""
    found = findings(service, observed)
    if found:
        return Judgement(c.PREFLIGHT_PASSED, "False", found[0].reason, "; ".join(one.message for one in found))
    unknown = "not checked, for only namespaces may be read: nodes and storage classes"
    return Judgement(c.PREFLIGHT_PASSED, "True", c.CHECKS_PASSED, unknown if observed.facts.nodes is None else "")


@dataclass(frozen=True)
class Lookups:
    """Names of what the checks have to look up."""

    secrets: frozenset[str]
    config_maps: frozenset[str]
    claims: frozenset[str]


def lookups(service: WhisperService) -> Lookups:
    spec = service.spec
    tls = spec.ingress.tls if spec.ingress else None
    source, audio = spec.model.source, spec.verification.audio if spec.verification else None
    secrets = [
        *([spec.auth.secret_ref.name] if spec.auth else []),
        *([source.secret_ref.name] if source and source.secret_ref else []),
        *(ref.name for ref in spec.image.pull_secrets),
        *([tls.secret_name] if tls and tls.secret_name and not tls.cluster_issuer else []),
    ]
    config_maps = [
        *([source.ca_ref.name] if source and source.ca_ref else []),
        *([audio.config_map_key_ref.name] if audio else []),
    ]
    claims = [name for name in (spec.cache.existing_claim, source.claim if source else None) if name]
    return Lookups(frozenset(secrets), frozenset(config_maps), frozenset(claims))


def lacks_lookup(service: WhisperService, observed: Observed) -> bool:
    """Whether something that no watch shows is missing or wrong, and has to be looked for again."""
    return any(check(service, observed) for check in LOOKED_UP)
