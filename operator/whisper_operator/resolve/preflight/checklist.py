"""The checks before pods are started: each a pure function that finds one problem and its remedy.

A finding that `holds` keeps pods and volumes back, because they could not be corrected once they exist. A lack of
capacity never holds: only a pending pod makes a cluster's autoscaler add the node (docs/adr/0005-preflight.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.status import PreflightCheck
from whisper_operator.observe.facts import Facts
from whisper_operator.resolve.preflight import accounts, capacity, config_maps, exposure, limits, secrets, storage
from whisper_operator.resolve.preflight.finding import CheckInput, Finding, PreflightFunction

CHECKS: Final[tuple[PreflightFunction, ...]] = (
    accounts.service_account,
    secrets.api_keys,
    secrets.webhook_secret,
    secrets.source_secret,
    config_maps.source_authority,
    config_maps.golden_clip,
    storage.source_claim,
    storage.existing_claim,
    storage.storage_class,
    storage.jobs_on_one_node,
    storage.cache_size,
    exposure.fetch_route,
    secrets.pull_secrets,
    secrets.store_url,
    secrets.bucket_secret,
    config_maps.store_authority,
    secrets.tls_secret,
    exposure.host,
    storage.access_mode,
    capacity.gpu_claim,
    capacity.gpu_there,
    capacity.gpu_memory,
    capacity.memory,
    limits.quota,
    limits.quota_coverage,
    limits.limit_range,
)
"""A check more is one function in this folder and one line here."""
OF_THE_CLUSTER: Final[frozenset[PreflightFunction]] = frozenset(
    {
        exposure.host,
        storage.storage_class,
        storage.jobs_on_one_node,
        capacity.gpu_there,
        capacity.gpu_memory,
        capacity.memory,
    }
)
"""Checks that need objects of the whole cluster."""


LOOKED_UP: Final[frozenset[PreflightFunction]] = frozenset(
    {
        accounts.service_account,
        secrets.api_keys,
        secrets.webhook_secret,
        secrets.source_secret,
        secrets.pull_secrets,
        secrets.store_url,
        secrets.bucket_secret,
        secrets.tls_secret,
        config_maps.store_authority,
        config_maps.source_authority,
        config_maps.golden_clip,
        storage.source_claim,
        storage.existing_claim,
        capacity.gpu_claim,
    }
)
"""Checks of objects that no watch shows, and that each pass looks up."""


PASSED: Final[Mapping[PreflightFunction, PreflightCheck]] = {
    check: PreflightCheck(name=check.__name__.replace("_", " "), passed=True) for check in CHECKS
}
"""The outcome of each check that finds nothing: most of them, in most passes."""


@dataclass(frozen=True)
class PreflightResult:
    findings: Sequence[Finding]
    """Everything that is wrong, those that hold the pods back first."""
    checks: Sequence[PreflightCheck]
    """Every check with its outcome, in the order of CHECKS."""
    lacks_lookup: bool
    """Whether something that no watch shows is missing or wrong, and has to be looked for again."""

    @property
    def holds(self) -> bool:
        """Whether nothing may be started before something is mended."""
        return any(finding.holds for finding in self.findings)


def run_checks(given: CheckInput) -> PreflightResult:
    """Runs each check once."""
    outcomes = [(check, check(given)) for check in CHECKS]
    found = [finding for _, finding in outcomes if finding]
    return PreflightResult(
        findings=sorted(found, key=lambda finding: not finding.holds),
        checks=[_row(check, finding, given.facts) for check, finding in outcomes],
        lacks_lookup=any(finding and check in LOOKED_UP for check, finding in outcomes),
    )


def _row(check: PreflightFunction, finding: Finding | None, facts: Facts) -> PreflightCheck:
    passed = PASSED[check]
    if finding:
        return PreflightCheck(name=passed.name, passed=False, message=finding.message)
    if check in OF_THE_CLUSTER and facts.nodes is None:
        return PreflightCheck(name=passed.name, passed=None, message="only namespaces may be read")
    return passed
