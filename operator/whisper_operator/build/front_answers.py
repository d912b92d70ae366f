"""What a front answers by itself, by the store that the pods share: results that are kept, and jobs that it takes."""

from __future__ import annotations

from typing import Any

from whisper_operator.api.units import duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import job_store, known_results
from whisper_operator.resolve.resolved import Resolved


def settings(resolved: Resolved) -> dict[str, Any]:
    """The fields of RuntimeConfig for that; none where all is for the pods that serve, as while no model is there."""
    service, model = resolved.service, resolved.model.admitted
    if model is None or service.spec.redis is None:
        return {}
    of_jobs, of_results = _of_jobs(service), known_results.cache_settings(service.spec)
    if not of_jobs and not of_results:
        return {}
    return {**known_results.text_settings(service.spec, model), **of_results, **of_jobs}


def parts(resolved: Resolved) -> list[tuple[Manifest, Manifest]]:
    """Each mount with its volume: of the Secret for the jobs' bucket."""
    return job_store.parts(resolved.service) if _takes_jobs(resolved.service) else []


def _takes_jobs(service: WhisperService) -> bool:
    """Whether a job may be accepted while no pod serves: the front reaches all of it, and a pod comes for it.

    The operator starts one for a request that has ended; whoever else does it, as KEDA, looks at those that wait.
    """
    scaling = service.spec.autoscaling
    is_woken = scaling is None or scaling.min_replicas > 0 or scaling.is_woken_by_operator
    return is_woken and job_store.is_reached_by_front(service)


def _of_jobs(service: WhisperService) -> dict[str, Any]:
    if not _takes_jobs(service):
        return {}
    longest = duration_seconds(service.spec.server.max_audio_duration)
    return {**job_store.settings(service, None), "max_audio_seconds": longest}
