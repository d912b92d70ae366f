"""`check`: runs preflight for a service that is not applied yet, against the cluster as it is now; only reads."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import orjson

from whisper_operator.api.status import PreflightCheck
from whisper_operator.api.v1alpha1 import KIND, Manifest, WhisperService
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT, INGRESS, JOB, OPTIONAL_KINDS, POD, Kind
from whisper_operator.objects.names import LABEL_SERVICE
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.listing import fact_kinds
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.dereference import with_references
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve.resolved import resolve

Checks: TypeAlias = Mapping[str, Sequence[PreflightCheck]]
"""Of each service, by its name."""
FORBIDDEN, NOT_FOUND = 403, 404


async def check(services: Iterable[WhisperService], cluster: Cluster, installation: Installation) -> Checks:
    """The checks of each service, by its name; raises ApiError."""
    return {
        one.metadata.name: resolve(one, await _observed(one, cluster), installation).preflight.checks
        for one in services
    }


def as_table(found: Checks) -> str:
    return "\n".join(line for name, rows in found.items() for line in table(name, rows))


def as_json(found: Checks) -> str:
    """An object with a list of checks for each service: those of `status.preflight`, and those that passed."""
    rows = {
        name: [one.model_dump(by_alias=True, exclude_none=True) for one in checks] for name, checks in found.items()
    }
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()


def table(name: str, checks: Iterable[PreflightCheck]) -> Iterator[str]:
    """One line for each check."""
    outcomes = {True: "ok", False: "wrong", None: "unknown"}
    yield f"{KIND} {name}"
    for row in checks:
        yield f"  {outcomes[row.passed]:<8}{row.name:<18}{row.message}".rstrip()


async def _observed(service: WhisperService, cluster: Cluster) -> Observed:
    """The objects and facts that a pass of the operator would observe; raises ApiError where one cannot be read."""
    namespace, troubles = service.metadata.namespace, Troubles()
    facts = await with_references(await _shared_facts(service, cluster), service, cluster, troubles)
    if troubles.error:
        raise troubles.error
    ours = f"{LABEL_SERVICE}={service.metadata.name}"
    live = [body for kind in (CLAIM, DEPLOYMENT, JOB, POD) for body in await cluster.list(kind, namespace, ours)]
    return Observed({(body["kind"], body["metadata"]["name"]): body for body in live}, facts)


async def _shared_facts(service: WhisperService, cluster: Cluster) -> Facts:
    """The facts about the cluster, or about the namespace alone where no more may be read."""
    try:
        return await _facts(service, cluster, None)
    except ApiError as error:
        if error.status != FORBIDDEN:
            raise
        return await _facts(service, cluster, service.metadata.namespace)


async def _facts(service: WhisperService, cluster: Cluster, namespace: str | None) -> Facts:
    cache = ObjectCache(whole_cluster=namespace is None)
    for kind in (*fact_kinds(OPTIONAL_KINDS, whole_cluster=namespace is None), INGRESS):
        for body in await _listed(kind, cluster, namespace):
            cache.observe(body)
    return cache.facts(service, time.time())


async def _listed(kind: Kind, cluster: Cluster, namespace: str | None) -> list[Manifest]:
    """Every object of the kind; none of one that the cluster lacks."""
    try:
        return await cluster.list(kind, namespace)
    except ApiError as error:
        if error.status != NOT_FOUND or kind not in OPTIONAL_KINDS:
            raise
        return []
