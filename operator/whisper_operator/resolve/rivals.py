"""Other autoscalers of a service's Deployment, which fight the number of pods that the spec sets. Pure.

They are looked for where one has left its trace, for watching every autoscaler of the cluster would cost more than it
tells: each writes its status several times a minute.
"""

from __future__ import annotations

from collections.abc import Iterable

from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, SCALED_OBJECT
from whisper_operator.objects.manifest import controller_of


def may_have_rivals(service: WhisperService, deployment: Manifest | None) -> bool:
    """Whether somebody has scaled the Deployment whose number the spec sets, or was found to when last looked."""
    return service.spec.autoscaling is None and _is_contested(service, deployment)


def may_have_rivals_of_front(service: WhisperService, deployment: Manifest | None) -> bool:
    """The same of the front's Deployment, whose number nothing but the spec sets."""
    return service.spec.wanted_front is not None and _is_contested(service, deployment)


def rivals_of(service: WhisperService, deployment: str, autoscalers: Iterable[Manifest]) -> tuple[str, ...]:
    """Kind/name of each autoscaler of the Deployment of that name; of KEDA's, the ScaledObject that it was made for.

    `autoscalers`: every HorizontalPodAutoscaler of the namespace.
    """
    found = (one for one in autoscalers if _targets(one, deployment) and not _is_ours(one, service))
    return tuple(sorted({_told(one) for one in found}))


def _is_contested(service: WhisperService, deployment: Manifest | None) -> bool:
    if deployment is None or service.spec.suspend:
        return False
    known = any(one.type == c.REPLICAS_CONTESTED for one in service.status.conditions)
    return known or any(_scales(entry) for entry in deployment["metadata"].get("managedFields", ()))


def _scales(entry: Manifest) -> bool:
    """Whether a field manager holds the number by the subresource that autoscalers write; kubectl scale does, too."""
    is_ours = entry["manager"] in (names.FIELD_MANAGER, names.HANDOVER_MANAGER)
    holds = "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
    return holds and not is_ours and entry.get("subresource") == "scale"


def _targets(autoscaler: Manifest, name: str) -> bool:
    target = autoscaler["spec"]["scaleTargetRef"]
    group = target.get("apiVersion", "").rpartition("/")[0]
    return (group, target["kind"], target["name"]) == (DEPLOYMENT.group, DEPLOYMENT.kind, name)


def _is_ours(autoscaler: Manifest, service: WhisperService) -> bool:
    controller = controller_of(autoscaler)
    return controller is not None and controller["uid"] == service.metadata.uid


def _told(autoscaler: Manifest) -> str:
    controller = controller_of(autoscaler)
    if controller and controller["kind"] == SCALED_OBJECT.kind:
        return f"{SCALED_OBJECT.kind}/{controller['name']}"
    return f"{autoscaler['kind']}/{autoscaler['metadata']['name']}"
