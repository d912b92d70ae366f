"""Reads from the API server what no watch shows: the objects that a spec names, and what the cluster's pods request."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, TypeVar

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import names
from whisper_operator.objects.kinds import (
    AUTOSCALER,
    CLAIM,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    GATEWAY,
    JOB,
    POD,
    RESOURCE_CLAIM,
    RESOURCE_CLAIM_TEMPLATE,
    SERVICE_ACCOUNT,
    Kind,
)
from whisper_operator.observe import pod_status
from whisper_operator.observe.devices import DeviceId, allocated
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_requests import NodeRequests, add_requests
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve.budget import budgets_of_pods, may_have_other_budgets
from whisper_operator.resolve.devices import DeviceSupply, with_taken
from whisper_operator.resolve.references import References, references
from whisper_operator.resolve.rivals import may_have_rivals, may_have_rivals_of_front, rivals_of

NODE_COMES: Final = frozenset({"TriggeredScaleUp", "Nominated"})
"""Reasons of Events about a pod for which the cluster autoscaler, or Karpenter, adds a node.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-events-are-emitted-by-ca
"""
K = TypeVar("K")
T = TypeVar("T")


async def with_references(facts: Facts, service: WhisperService, cluster: Cluster, troubles: Troubles) -> Facts:
    """`facts` with the objects that the spec names, each read once, at the same time.

    What cannot be read is left out, as if it had not been looked up, and told to `troubles`.
    """
    namespace, named = service.metadata.namespace, references(service.spec)
    if named == References():
        return facts
    secrets = {name: _start(cluster.secret_keys(namespace, name)) for name in sorted(named.secrets)}
    config_maps = {name: _start(cluster.config_map_keys(namespace, name)) for name in sorted(named.config_maps)}
    claims = {name: _start(cluster.get(CLAIM, namespace, name)) for name in sorted(named.claims)}
    accounts = {name: _start(cluster.get(SERVICE_ACCOUNT, namespace, name)) for name in sorted(named.accounts)}
    templates = {
        name: _start(_get_optional(cluster, RESOURCE_CLAIM_TEMPLATE, namespace, name))
        for name in sorted(named.claim_templates)
    }
    # Where only namespaces may be read, the others' Gateways are out of reach.
    near = [at for at in sorted(named.gateways) if facts.nodes is not None or at[0] in ("", namespace)]
    gateways = {at: _start(_get_optional(cluster, GATEWAY, at[0] or namespace, at[1])) for at in near}
    reads: list[asyncio.Task[Any]] = [
        *secrets.values(),
        *config_maps.values(),
        *claims.values(),
        *accounts.values(),
        *templates.values(),
        *gateways.values(),
    ]
    await asyncio.gather(*reads, return_exceptions=True)
    found_secrets = _results(secrets, f"Secret {namespace}", troubles)
    found_claims = _results(claims, f"{CLAIM.kind} {namespace}", troubles)
    return replace(
        facts,
        secrets=found_secrets,
        lacks_secrets=len(found_secrets) < len(secrets),
        config_maps=_results(config_maps, f"ConfigMap {namespace}", troubles),
        claims=found_claims,
        lacks_claims=len(found_claims) < len(claims),
        accounts=_results(accounts, f"{SERVICE_ACCOUNT.kind} {namespace}", troubles),
        claim_templates=_results(templates, f"{RESOURCE_CLAIM_TEMPLATE.kind} {namespace}", troubles),
        # An address in the status alone depends on them: that one cannot be read is no trouble.
        gateways=_results(gateways, GATEWAY.kind, Troubles()),
    )


async def with_rivals(
    facts: Facts, service: WhisperService, observed: Observed, cluster: Cluster, troubles: Troubles
) -> Facts:
    """`facts` with the other autoscalers of the Deployments, looked for where there may be any."""
    name = service.metadata.name
    front = names.front(name)
    of_servers = may_have_rivals(service, observed.get(DEPLOYMENT, name))
    of_front = may_have_rivals_of_front(service, observed.get(DEPLOYMENT, front))
    if not (of_servers or of_front):
        return facts
    found = await _listed(AUTOSCALER, service.metadata.namespace, cluster, troubles)
    if found is None:
        return facts
    return replace(
        facts,
        rivals=rivals_of(service, name, found) if of_servers else (),
        front_rivals=rivals_of(service, front, found) if of_front else (),
    )


async def with_other_budgets(
    facts: Facts, service: WhisperService, observed: Observed, cluster: Cluster, troubles: Troubles
) -> Facts:
    """`facts` with others' disruption budgets of the pods, looked for before the default one is made."""
    if not may_have_other_budgets(service, observed):
        return facts
    found = await _listed(DISRUPTION_BUDGET, service.metadata.namespace, cluster, troubles)
    return replace(facts, other_budgets=None if found is None else budgets_of_pods(service, found))


async def with_awaited_nodes(facts: Facts, service: WhisperService, observed: Observed, cluster: Cluster) -> Facts:
    """`facts` with the pods for which an autoscaler adds a node: asked where a front says why none comes.

    Where the Events cannot be read, no node is awaited.
    """
    if service.spec.wanted_front is None:
        return facts
    unplaced = [pod["metadata"]["uid"] for pod in observed.pods(names.SERVER) if pod_status.is_unplaced(pod)]
    reads = (cluster.event_reasons(service.metadata.namespace, uid) for uid in unplaced)
    found = await asyncio.gather(*reads, return_exceptions=True)
    awaited = {
        uid
        for uid, reasons in zip(unplaced, found, strict=True)
        if isinstance(reasons, frozenset) and reasons & NODE_COMES
    }
    return replace(facts, awaited_nodes=frozenset(awaited))


def kinds_held_back(facts: Facts) -> frozenset[Kind]:
    """The kinds of children that are to stay as they are, for they depend on what could not be read.

    Jobs read Secrets and claims; where pods run depends on the claim.
    """
    if facts.lacks_claims:
        return frozenset({JOB, DEPLOYMENT})
    return frozenset({JOB}) if facts.lacks_secrets else frozenset()


async def requests_by_node(cluster: Cluster, supply: DeviceSupply | None = None) -> NodeRequests:
    """The requests of all pods of the cluster, and what is taken of `supply`, summed by node; raises ApiError.

    A page of pods at a time is in memory: kept whole, 5,000 pods took 236 MiB for each worker. A pod that is being
    deleted counts until it has gone: of a Deployment, those of `status.terminatingReplicas` (KEP-3973).
    """
    total: dict[str, dict[str, Decimal]] = {}
    async for page, _ in cluster.pages(POD, None):
        add_requests(total, page)
    if supply is None:
        return total
    taken: set[DeviceId] = set()
    async for page, _ in cluster.pages(RESOURCE_CLAIM, None):
        taken.update(allocated(page))
    return with_taken(total, supply, taken)


async def _listed(kind: Kind, namespace: str, cluster: Cluster, troubles: Troubles) -> list[Manifest] | None:
    """The namespace's objects of that kind; None where they cannot be listed, which is told to `troubles`."""
    try:
        return await cluster.list(kind, namespace)
    except ApiError as error:
        troubles.miss(f"the {kind.kind}s of namespace {namespace}", error)
        return None


async def _get_optional(cluster: Cluster, kind: Kind, namespace: str, name: str) -> Manifest | None:
    """The object of another's; None where it is not there, as where the cluster has no such API."""
    try:
        return await cluster.get(kind, namespace, name)
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def _start(read: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return asyncio.get_running_loop().create_task(read)


def _results(tasks: Mapping[K, asyncio.Task[T]], where: str, troubles: Troubles) -> dict[K, T]:
    """Returns what was read, by name; `where`: kind and namespace, as a message names them."""
    found: dict[K, T] = {}
    for name, task in tasks.items():
        try:
            found[name] = task.result()
        except ApiError as error:
            troubles.miss(f"{where}/{name}", error)
    return found
