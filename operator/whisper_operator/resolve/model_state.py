"""The service's models: wanted, live, last good, failed, and the one that pods may be given now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_status import Cause
from whisper_operator.resolve.model import ModelRef, last_good_model, model_of, wanted_model
from whisper_operator.resolve.model_change import (
    FailedModel,
    ModelChange,
    change_in_progress,
    failed_model,
    stuck_message,
)
from whisper_operator.resolve.prefetch import PrefetchState, fetch_failure
from whisper_operator.resolve.promise import Promise


@dataclass(frozen=True)
class ModelState:
    wanted: ModelRef
    live: ModelRef | None
    """The model in the live Deployment's template."""
    last_good: ModelRef | None
    """The model that the promised pods were last ready with; None: none yet."""
    admitted: ModelRef | None
    """The model that pods may be given now; None: no pod may start yet."""
    failed: FailedModel | None
    is_fetched: bool
    """Whether the claim holds the wanted checkpoint, as the Job that fetched it reports."""
    is_available: bool
    """Whether pods that want the wanted one would find it: in the claim, in the image, or by their own fetch."""
    needs_source: bool
    """Whether its source is still to be read: by the Job that fills the claim, or by each pod."""
    stuck: str | None
    """Kubernetes' message where pods have not become ready in time and none is on its way; else None."""
    fetch_failure: Cause | None
    """Why the fetch into the claim does not go on; None where it does."""
    change: ModelChange | None


def resolve_model(
    service: WhisperService,
    observed: Observed,
    deployment: Manifest | None,
    promise: Promise,
    server_pods: Sequence[Manifest],
    prefetch: PrefetchState,
) -> ModelState:
    cache, warnings = service.spec.cache.type, observed.facts.warnings
    wanted = wanted_model(service, prefetch.pods)
    live = model_of(deployment["spec"]["template"]) if deployment else None
    last_good = last_good_model(deployment, promise)
    is_fetched = prefetch.is_complete and wanted.digest is not None
    is_available = is_fetched or cache != "PersistentVolumeClaim"
    stuck = stuck_message(deployment, server_pods, warnings)
    failed = failed_model(service.spec, deployment, last_good, stuck, server_pods, warnings)
    needed = [model for model in (live, last_good, wanted) if model]
    failure = None if is_available else fetch_failure(service, observed, prefetch, needed)
    return ModelState(
        wanted=wanted,
        live=live,
        last_good=last_good,
        admitted=_admitted(cache, wanted if is_available else live, last_good, failed),
        failed=failed,
        is_fetched=is_fetched,
        is_available=is_available,
        needs_source=cache == "EmptyDir" or not is_available,
        stuck=stuck,
        fetch_failure=failure,
        change=change_in_progress(wanted, last_good, failed, failure, is_available),
    )


def _admitted(
    cache: str, available: ModelRef | None, last_good: ModelRef | None, failed: FailedModel | None
) -> ModelRef | None:
    """The wanted model once it is available, else the live one; the last good one in place of one that failed.

    Only a claim holds both: elsewhere a pod fetches, or its image has, the wanted one alone.
    """
    has_failed = failed is not None and available is not None and str(available) == failed.model
    return last_good if has_failed and cache == "PersistentVolumeClaim" else available
