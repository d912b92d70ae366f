"""The claim that caches models: it outlives pods and Jobs, and is shared by all of them."""

from __future__ import annotations

from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.resolve.claim import ClaimState, cache_size
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest | None:
    service, claim = resolved.service, resolved.claim
    is_new = claim.live is None or claim.makes_way
    if not claim.is_own or (is_new and resolved.preflight.holds):
        return None
    return child(
        service,
        CLAIM,
        claim.name,
        labels=service.spec.cache.labels or None,
        annotations={
            **service.spec.cache.annotations,
            **({names.ANNOTATION_ASKED: claim.asked} if claim.asked else {}),
        },
        owned=service.spec.cache.retention == "Delete",
        spec=_grown(claim, claim.live["spec"], cache_size(service.spec))
        if claim.live and not is_new
        else _new(service.spec, claim.access_mode),
    )


def _new(spec: Spec, access_mode: str) -> Manifest:
    storage_class = spec.cache.storage_class_name
    return {
        "accessModes": [access_mode],
        "resources": {"requests": {"storage": cache_size(spec)}},
        **({"storageClassName": storage_class} if storage_class is not None else {}),
    }


def _grown(claim: ClaimState, live: Manifest, wanted: str) -> Manifest:
    """The live claim's own spec, for modes and class are fixed once it exists; its size grows where it can.

    Before the claim has its volume, the API server refuses another size.
    """
    size, can_grow = live["resources"]["requests"]["storage"], claim.phase == "Bound" and claim.can_grow
    return {
        "accessModes": live["accessModes"],
        "resources": {"requests": {"storage": max(size, wanted, key=any_quantity) if can_grow else size}},
        **({"storageClassName": live["storageClassName"]} if "storageClassName" in live else {}),
    }
