"""The Deployment of the pods that serve."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import pod
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import rollout
from whisper_operator.resolve.model_change import admit
from whisper_operator.resolve.preflight import checklist

ENDPOINT_LAG_SECONDS: Final = 3
"""A pod counts as available once every node's proxy knows it: else Ready would come before the first answer can.

The runtime waits longer for the same lag when a pod leaves (servers.py): there an error loses requests, here it delays.
"""


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    """None while there is no model to serve or preflight holds: what is live stays as it is."""
    template = wanted_template(service, observed, env)
    if template is None:
        return None
    decision = rollout.decide(service, observed, template)
    return child(
        service,
        DEPLOYMENT,
        service.metadata.name,
        annotations={**decision.annotations, **admit(service, observed).annotations},
        spec={
            **replicas(service),
            "minReadySeconds": ENDPOINT_LAG_SECONDS,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": names.selector(service.metadata.name)},
            "strategy": decision.as_strategy,
            "template": template,
        },
    )


def wanted_template(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    """The template of the pods that serve; None while there may be none."""
    model = admit(service, observed).model
    if model is None or (checklist.holds(service, observed) and not service.spec.suspend):
        return None
    return pod.server_template(service, model, observed, env)


def replicas(service: WhisperService) -> dict[str, int]:
    """`replicas`, unless an autoscaler owns the number."""
    if service.spec.suspend:
        return {"replicas": 0}
    return {} if service.spec.autoscaling else {"replicas": service.spec.replicas}


def as_born(service: WhisperService, manifest: Manifest) -> Manifest:
    """`manifest` as it is created: an autoscaler starts from its smallest number where that is not the default, 1.

    Where it is, the field stays nobody's, and the first change needs no hand-over, which is a write of its own.
    """
    scaling = service.spec.autoscaling
    if scaling is None or service.spec.suspend or scaling.min_replicas <= 1:
        return manifest
    return {**manifest, "spec": {**manifest["spec"], "replicas": scaling.min_replicas}}


def handover_replicas(service: WhisperService, live: Manifest) -> int | None:
    """The number to write beside the autoscaler's; None where it has the number already.

    A field that an apply drops falls back to its default, so `replicas` would be 1 for a moment when autoscaling is
    switched on: where our own apply holds it (since creation, where it began with more than one), a second field
    manager takes the live number over first, or the smallest one at unsuspend, because an autoscaler leaves a
    Deployment of no replicas alone.
    """
    scaling = service.spec.autoscaling
    if scaling is None or service.spec.suspend or not _holds_replicas(live):
        return None
    return live["spec"].get("replicas", 1) or max(1, scaling.min_replicas)


def _holds_replicas(live: Manifest) -> bool:
    return any(
        "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields", ())
        if entry["manager"] == names.FIELD_MANAGER and not entry.get("subresource")
    )


def handover(service: WhisperService, count: int) -> Manifest:
    """What the second field manager applies."""
    return {
        "apiVersion": DEPLOYMENT.api_version,
        "kind": DEPLOYMENT.kind,
        "metadata": {"name": service.metadata.name, "namespace": service.metadata.namespace},
        "spec": {"replicas": count},
    }
