"""Surge or Replace: decided once for each change of the pods' template, from the GPUs that are free then. Pure.

The decision is kept on the Deployment itself, as its strategy and an annotation with the reason.
docs/explanation/rollouts.md tells what each costs.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.diff import is_subset
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import scheduling
from whisper_operator.resolve.model import live_claim, ties_to_one_node
from whisper_operator.resolve.pod_shape import is_well_formed
from whisper_operator.resolve.preflight import limits

ROOM_SECONDS: Final = 30.0
"""How long a new pod may look for room beside the old ones before one of those makes way."""
BY_SPEC: Final = "spec.rollout.strategy says so"
AS_BEFORE: Final = "as it was, and decided anew at the next change of the pods"
"""Of a Deployment that carries no reason, such as one that the first release made."""


@dataclass(frozen=True)
class Decision:
    strategy: Literal["Surge", "Replace"]
    reason: str

    @property
    def annotations(self) -> dict[str, str]:
        """What the Deployment keeps of it: nothing that the spec says, or that nobody decided."""
        return {} if self.reason in (BY_SPEC, AS_BEFORE) else {names.ANNOTATION_ROLLOUT: self.reason}

    @property
    def as_strategy(self) -> dict[str, Any]:
        """The Deployment's `strategy`."""
        surge = {"maxSurge": 1, "maxUnavailable": 0}
        replace = {"maxSurge": 0, "maxUnavailable": 1}
        return {"type": "RollingUpdate", "rollingUpdate": surge if self.strategy == "Surge" else replace}


def decide(service: WhisperService, observed: Observed, template: Manifest) -> Decision:
    """How the pods get `template`."""
    wanted = service.spec.rollout.strategy
    if wanted != "Auto":
        return Decision(wanted, BY_SPEC)
    live = live_decision(service, observed)
    if live is None or is_changed(service, observed, template):
        return _decide_anew(service, observed, template)
    if live.strategy == "Surge" and (what := _without_room(service, observed)):
        return Decision("Replace", f"{what} found no room beside the old ones for {ROOM_SECONDS:.0f} s")
    return live


def live_decision(service: WhisperService, observed: Observed) -> Decision | None:
    """What was decided for the live Deployment; None where there is none."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    if live is None:
        return None
    surges = live["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge") not in (0, "0%")
    reason = live["metadata"].get("annotations", {}).get(names.ANNOTATION_ROLLOUT, AS_BEFORE)
    return Decision("Surge" if surges else "Replace", reason if service.spec.rollout.strategy == "Auto" else BY_SPEC)


def is_changed(service: WhisperService, observed: Observed, template: Manifest) -> bool:
    """Whether `template` makes new pods."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    return live is not None and not is_subset(template, live["spec"]["template"])


def needs_usage(service: WhisperService, observed: Observed, template: Manifest) -> bool:
    """Whether the decision has to know what the cluster's pods ask for."""
    return (
        service.spec.rollout.strategy == "Auto"
        and service.spec.gpu is not None
        and observed.facts.nodes is not None
        and is_changed(service, observed, template)
    )


def seconds_until_no_room(service: WhisperService, observed: Observed) -> float | None:
    """Until a pod that looks for room has looked long enough; None where none does."""
    live = live_decision(service, observed)
    if service.spec.rollout.strategy != "Auto" or live is None or live.strategy == "Replace":
        return None
    waits = [ROOM_SECONDS - waited for waited in _searching(service, observed).values() if waited < ROOM_SECONDS]
    return min(waits) if waits else None


def _decide_anew(service: WhisperService, observed: Observed, template: Manifest) -> Decision:
    gpu, nodes = service.spec.gpu, observed.facts.nodes
    is_first = observed.get(DEPLOYMENT, service.metadata.name) is None
    if not is_first and (shortage := limits.shortage(service, observed, more=1)):
        return Decision("Replace", f"{shortage}: the new pod gets its share when the old one has gone")
    if gpu is None:
        return Decision("Surge", "no GPU is asked for, so the new pod starts beside the old one")
    if is_first:
        return Decision("Replace", "the first pods replace none")
    if nodes is None:
        return Decision("Replace", f"whether a {gpu.resource_name} is free is unknown: only namespaces may be read")
    if _has_one_to_spare(service, observed):
        return Decision("Surge", "a pod of the unfinished change before this one makes room")
    there = scheduling.candidates(_without_pod_affinity(template), nodes)
    if held := _nodes_of_the_volume(service, observed):
        there = [node for node in there if node.name in held]
    room = scheduling.with_room(template, there, observed.facts)
    if not room:
        return Decision("Replace", f"no node that the pod may run on has {gpu.resource_name} and room for it free")
    return Decision("Surge", f"node {min(node.name for node in room)} has {gpu.resource_name} and room for it free")


def _has_one_to_spare(service: WhisperService, observed: Observed) -> bool:
    """Whether the last change's surge is under way, and its pod has found a place."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    held = sum(pod_status.holds_a_place(pod) for pod in pod_status.of(observed, names.SERVER))
    return live is not None and held > live["spec"].get("replicas", 1)


def _nodes_of_the_volume(service: WhisperService, observed: Observed) -> set[str]:
    """The nodes that a claim of one node ties the pods to; empty where it does not."""
    claim = live_claim(service, observed)
    if claim is None or not ties_to_one_node(claim["spec"]["accessModes"]):
        return set()
    return {
        pod["spec"]["nodeName"] for pod in pod_status.of(observed, names.SERVER) if pod.get("spec", {}).get("nodeName")
    }


def _without_pod_affinity(template: Manifest) -> Manifest:
    """`template` as far as nodes decide over it; one that is malformed stays so."""
    if not is_well_formed(template.get("spec")):
        return template
    affinity = {k: v for k, v in template["spec"].get("affinity", {}).items() if k == "nodeAffinity"}
    return {**template, "spec": {**template["spec"], "affinity": affinity}}


def _without_room(service: WhisperService, observed: Observed) -> str | None:
    searching = _searching(service, observed).items()
    return next((what for what, waited in searching if waited >= ROOM_SECONDS), None)


def _searching(service: WhisperService, observed: Observed) -> dict[str, float]:
    """What has found no place for how many seconds, while an older pod of another template holds one."""
    serving, found = pod_status.of(observed, names.SERVER), dict[str, str]()
    for place, pod in enumerate(serving):
        scheduled = pod_status.condition(pod, "PodScheduled")
        if scheduled and scheduled["status"] == "False" and _is_blocked(pod, serving[place + 1 :]):
            found[f"pod {pod['metadata']['name']}"] = scheduled.get("lastTransitionTime") or ""
    if refused := _refused_by_quota(service, observed):
        found["a pod that a ResourceQuota refuses"] = refused.get("lastTransitionTime") or ""
    return {what: observed.facts.now - _seconds(since) for what, since in found.items() if since}


def _is_blocked(pod: Manifest, older: Iterable[Manifest]) -> bool:
    return any(pod_status.holds_a_place(other) and _template(other) != _template(pod) for other in older)


def _template(pod: Manifest) -> str | None:
    """The hash by which the Deployment tells the pods of one template from those of another."""
    return pod["metadata"]["labels"].get("pod-template-hash")


def _refused_by_quota(service: WhisperService, observed: Observed) -> Manifest | None:
    """The Deployment's word that a quota refuses it a pod, while pods of an older template run."""
    live = observed.get(DEPLOYMENT, service.metadata.name) or {}
    status: Manifest = live.get("status", {})
    failure = next((one for one in status.get("conditions", ()) if one["type"] == "ReplicaFailure"), None)
    if failure is None or failure["status"] != "True" or "exceeded quota" not in failure.get("message", ""):
        return None
    return failure if status.get("replicas", 0) > status.get("updatedReplicas", 0) else None


def _seconds(timestamp: str) -> float:
    return datetime.datetime.fromisoformat(timestamp).timestamp()
