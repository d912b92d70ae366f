"""Surge or Replace: decided once for each change of the pods' template, from the GPUs that are free then. Pure.

The decision is kept on the Deployment itself, as its strategy and an annotation with the reason.
docs/explanation/rollouts.md compares their costs.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.objects.manifest import condition, labels_of
from whisper_operator.observe import pod_status
from whisper_operator.observe.facts import Node
from whisper_operator.observe.pod_requests import NodeRequests
from whisper_operator.resolve import scheduling
from whisper_operator.resolve.asked_pods import serving
from whisper_operator.resolve.decision import BY_SPEC, Decision, Rollout
from whisper_operator.resolve.limit_ranges import defaulted
from whisper_operator.resolve.pod_shape import is_well_formed
from whisper_operator.resolve.quotas import shortage
from whisper_operator.resolve.resolved import Resolved

TEMPLATE: Final = "spec.template"
"""Path at which a Deployment has its pods' template."""
ROOM_SECONDS: Final = 30.0
"""Seconds that a new pod may wait for room beside the old ones before one of those makes way."""


def with_rollout(resolved: Resolved, template: Manifest | None, requested: NodeRequests | None = None) -> Resolved:
    """`resolved`, with the rollout of `template` decided; as it is where there may be no pods (None).

    `requested`: the requests of the cluster's pods by node; needed only where `needs_requests` is true.
    """
    if template is None:
        return resolved
    return replace(resolved, rollout=Rollout(template, decide(resolved, template, requested or {})))


def decide(resolved: Resolved, template: Manifest, requested: NodeRequests) -> Decision:
    """The strategy by which the pods get `template`."""
    wanted, live = resolved.service.spec.rollout.strategy, resolved.live_decision
    if wanted != "Auto":
        return Decision(wanted, BY_SPEC)
    if live is None or is_changed(resolved, template):
        return _decide_anew(resolved, template, requested)
    if live.strategy == "Surge" and (what := _without_room(resolved)) and _would_make_room(resolved, template):
        return Decision("Replace", f"{what} found no room beside the old ones for {ROOM_SECONDS:.0f} s")
    return live


def is_changed(resolved: Resolved, template: Manifest) -> bool:
    """Whether `template` makes new pods: whether the live one differs by more than what a policy makes of it."""
    name = resolved.service.metadata.name
    return any(resolved.observed.drift(DEPLOYMENT, name, template, TEMPLATE))


def needs_requests(resolved: Resolved, template: Manifest | None) -> bool:
    """Whether the decision depends on the requests of the cluster's pods."""
    return (
        template is not None
        and resolved.service.spec.rollout.strategy == "Auto"
        and resolved.service.spec.gpu is not None
        and resolved.observed.facts.nodes is not None
        and is_changed(resolved, template)
    )


def seconds_until_no_room(resolved: Resolved) -> float | None:
    """Until a pod that looks for room has looked long enough; None where none does."""
    live = resolved.live_decision
    if resolved.service.spec.rollout.strategy != "Auto" or live is None or live.strategy == "Replace":
        return None
    waits = [ROOM_SECONDS - waited for waited in _searching(resolved).values() if waited < ROOM_SECONDS]
    return min(waits) if waits else None


def _decide_anew(resolved: Resolved, template: Manifest, requested: NodeRequests) -> Decision:
    gpu, facts = resolved.service.spec.gpu, resolved.observed.facts
    is_first = resolved.deployment is None
    pod = defaulted(serving(resolved.service.spec), facts.limit_ranges or ())
    short = None if is_first else shortage(pod, facts.quotas or (), more=1)
    if short:
        return Decision("Replace", f"{short}: the new pod gets its share when the old one has gone")
    if of_one_pod := next((claim for claim in resolved.claims if claim.is_of_one_pod and not is_first), None):
        return Decision("Replace", f"claim {of_one_pod.name} is ReadWriteOncePod, so only one pod can mount it")
    if gpu is None:
        return Decision("Surge", "no GPU is asked for, so the new pod starts beside the old one")
    if is_first:
        return Decision("Replace", "the first pods replace none")
    if facts.nodes is None:
        return Decision("Replace", f"whether {gpu.device} is free is unknown: only namespaces may be read")
    if _has_one_to_spare(resolved):
        return Decision("Surge", "a pod of the unfinished change before this one makes room")
    room = _nodes_with_room(resolved, template, facts.nodes, requested)
    if not room and not _would_make_room(resolved, template):
        return Decision("Surge", f"no node that the pod may run on has {gpu.device} and room for it, taken or free")
    if not room:
        return Decision("Replace", f"no node that the pod may run on has {gpu.device} and room for it free")
    return Decision("Surge", f"node {min(node.name for node in room)} has {gpu.device} and room for it free")


def _would_make_room(resolved: Resolved, template: Manifest) -> bool:
    """Whether an old pod that leaves helps the new one: not where it serves, and no node could have the new one at all.

    A driver that is restarted offers nothing meanwhile; a selector may have a typing error.
    """
    nodes = resolved.observed.facts.nodes
    if nodes is None or not any(map(pod_status.is_ready, resolved.server_pods)):
        return True
    return bool(_nodes_with_room(resolved, template, nodes, {}))


def _nodes_with_room(
    resolved: Resolved, template: Manifest, nodes: Iterable[Node], requested: NodeRequests
) -> list[Node]:
    """The nodes that may have a pod of `template` beside what is `requested` of them."""
    gpu = resolved.service.spec.gpu
    allowed = scheduling.candidates(_without_pod_affinity(template), nodes)
    if tied_to := _nodes_of_the_volume(resolved):
        allowed = [node for node in allowed if node.name in tied_to]
    claimed = {gpu.counted_as: Decimal(gpu.count)} if gpu and gpu.claim else None
    return scheduling.with_room(template, allowed, requested, claimed)


def _has_one_to_spare(resolved: Resolved) -> bool:
    """Whether the last change's surge is under way, and its pod has found a node."""
    return sum(map(pod_status.holds_node, resolved.server_pods)) > resolved.replicas.wanted


def _nodes_of_the_volume(resolved: Resolved) -> set[str]:
    """The nodes that a claim of one node ties the pods to; empty where none does."""
    if not any(claim.is_on_one_node for claim in resolved.claims):
        return set()
    return {name for pod in resolved.server_pods if (name := pod.get("spec", {}).get("nodeName"))}


def _without_pod_affinity(template: Manifest) -> Manifest:
    """`template` as far as nodes decide over it; one that is malformed stays so."""
    if not is_well_formed(template.get("spec")):
        return template
    affinity = {k: v for k, v in template["spec"].get("affinity", {}).items() if k == "nodeAffinity"}
    return {**template, "spec": {**template["spec"], "affinity": affinity}}


def _without_room(resolved: Resolved) -> str | None:
    searching = _searching(resolved).items()
    return next((what for what, waited in searching if waited >= ROOM_SECONDS), None)


def _searching(resolved: Resolved) -> dict[str, float]:
    """The pods that have found no node, with the seconds since, while an older pod of another template holds one."""
    pods, found = resolved.server_pods, dict[str, str]()
    for index, pod in enumerate(pods):
        scheduled = condition(pod, "PodScheduled")
        if scheduled and scheduled["status"] == "False" and _is_blocked(pod, pods[index + 1 :]):
            found[f"pod {pod['metadata']['name']}"] = scheduled.get("lastTransitionTime") or ""
    if refused := _refused_by_quota(resolved):
        found["a pod that a ResourceQuota refuses"] = refused.get("lastTransitionTime") or ""
    return {what: resolved.observed.facts.now - _seconds(since) for what, since in found.items() if since}


def _is_blocked(pod: Manifest, older: Iterable[Manifest]) -> bool:
    return any(pod_status.holds_node(other) and _template_hash(other) != _template_hash(pod) for other in older)


def _template_hash(pod: Manifest) -> str | None:
    """The hash by which the Deployment distinguishes the pods of one template from those of another."""
    return labels_of(pod).get("pod-template-hash")


def _refused_by_quota(resolved: Resolved) -> Manifest | None:
    """The Deployment's condition that a quota refuses it a pod, while pods of an older template run; else None."""
    failure = condition(resolved.deployment, "ReplicaFailure")
    if failure is None or failure["status"] != "True" or "exceeded quota" not in failure.get("message", ""):
        return None
    return failure if resolved.replicas.existing > resolved.replicas.updated else None


def _seconds(timestamp: str) -> float:
    return datetime.datetime.fromisoformat(timestamp).timestamp()
