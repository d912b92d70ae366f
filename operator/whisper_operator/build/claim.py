"""The claims of checkpoints and of jobs: they outlive pods and Jobs, and are shared by all of them."""

from __future__ import annotations

from collections.abc import Sequence

from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.objects.manifest import controller_of
from whisper_operator.resolve.claim import ClaimState, requested_size
from whisper_operator.resolve.resolved import Resolved


def of_models(resolved: Resolved) -> Manifest | None:
    return _build(resolved, resolved.claim)


def of_jobs(resolved: Resolved) -> Manifest | None:
    return _build(resolved, resolved.jobs_claim) if resolved.jobs_claim else None


def given_up(resolved: Resolved) -> Sequence[Manifest]:
    """The live claims that are to be deleted: that of jobs, where the spec has no jobs any more.

    Only one that the service owns, for its retention was Delete; and not while a pod may still be started with it.
    """
    live = resolved.observed.get(CLAIM, names.jobs_claim(resolved.service.metadata.name))
    if resolved.jobs_claim or live is None or controller_of(live) is None or _is_mounted(resolved.deployment, live):
        return ()
    return (live,)


def _build(resolved: Resolved, claim: ClaimState) -> Manifest | None:
    wanted = claim.wanted
    if not claim.is_own or (claim.is_to_be_made and resolved.preflight.holds):
        return None
    asked = {names.ANNOTATION_ASKED: claim.asked} if claim.asked else {}
    return child(
        resolved.service,
        CLAIM,
        claim.name,
        labels=wanted.labels or None,
        annotations={**wanted.annotations, **asked},
        owned=not wanted.is_retained,
        spec=_grown(claim, claim.live) if claim.live and not claim.makes_way else _new(claim),
    )


def _new(claim: ClaimState) -> Manifest:
    """The default class by its name, where it is known: left to the API server, it would be written once more.

    A second write, while the claim's first pod is placed, comes between the scheduler's and the provisioner's own.
    """
    wanted, default = claim.wanted, claim.storage_class
    storage_class = default["metadata"]["name"] if wanted.storage_class is None and default else wanted.storage_class
    return {
        "accessModes": [wanted.access_mode],
        "resources": {"requests": {"storage": wanted.size}},
        **({"storageClassName": storage_class} if storage_class is not None else {}),
    }


def _grown(claim: ClaimState, live: Manifest) -> Manifest:
    """The live claim's own spec, for modes and class are fixed once it exists; its size grows where it can.

    Before the claim has its volume, the API server refuses another size.
    """
    spec, size, can_grow = live["spec"], requested_size(live), claim.phase == "Bound" and claim.can_grow
    wanted = max(size, claim.wanted.size, key=any_quantity) if can_grow else size
    return {
        "accessModes": spec["accessModes"],
        "resources": {"requests": {"storage": wanted}},
        **({"storageClassName": spec["storageClassName"]} if "storageClassName" in spec else {}),
    }


def _is_mounted(deployment: Manifest | None, claim: Manifest) -> bool:
    """Whether the live Deployment's pods have that claim."""
    volumes = deployment["spec"]["template"]["spec"].get("volumes", ()) if deployment else ()
    named = [one.get("persistentVolumeClaim", {}).get("claimName") for one in volumes]
    return claim["metadata"]["name"] in named
