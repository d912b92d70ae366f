"""The parts of the process that routes use, each as a FastAPI dependency.

The functions are async because FastAPI runs others in a thread, for each request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from prometheus_client import CollectorRegistry

from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.shared_store import SharedStoreReport
from whisper_runtime.http.cache_control import cache_directives
from whisper_runtime.http.file_digest import DigestingParser
from whisper_runtime.http.form_parser import FormParser
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.jobs.door import JobDoor, TakesJobs
from whisper_runtime.service.model_info import ModelInfo
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.probes import Probes
from whisper_runtime.service.result_cache.cached_transcriber import CachedTranscriber
from whisper_runtime.service.transcribe import RequestTranscriber


def provide(app: FastAPI, parts: RuntimeParts, jobs: JobDoor | None = None, batches: BatchDoor | None = None) -> None:
    """Gives the routes of `app` the parts that they may use; `jobs`, `batches` None: there are none."""
    app.state.jobs = jobs
    app.state.batches = batches
    app.state.model = parts.model
    app.state.form_parser = DigestingParser if parts.results else FormParser
    app.state.transcriber_of = partial(_transcriber_of, parts)
    app.state.probes = parts.probes
    app.state.admission = parts.admission
    app.state.registry = parts.metrics.registry
    app.state.store = parts.store
    app.state.model_dir = parts.config.model_image_dir or parts.config.model_dir


async def _model(request: Request) -> ModelInfo:
    return request.app.state.model.info


def _transcriber_of(parts: RuntimeParts, request: Request) -> RequestTranscriber:
    if parts.results is None:
        return parts.transcriber
    directives = cache_directives(request.headers)
    return CachedTranscriber(parts.transcriber, parts.results, directives, state_of(request.scope).file_digest)


@dataclass(frozen=True)
class UploadParts:
    """For a route that takes a recording."""

    model: ModelInfo
    transcriber: RequestTranscriber
    jobs: TakesJobs | None
    """None: there are no jobs."""


def upload_parts(request: Request) -> UploadParts:
    """Of the application that has the request."""
    state = request.app.state
    return UploadParts(state.model.info, state.transcriber_of(request), state.jobs)


async def _jobs(request: Request) -> JobDoor | None:
    return request.app.state.jobs


async def _batches(request: Request) -> BatchDoor:
    return request.app.state.batches


async def _probes(request: Request) -> Probes:
    return request.app.state.probes


async def _load(request: Request) -> LoadReport:
    state = request.app.state
    return state.admission.load(is_ready=state.probes.unready is None)


async def _registry(request: Request) -> CollectorRegistry:
    return request.app.state.registry


async def _model_dir(request: Request) -> str:
    return request.app.state.model_dir


async def _store_report(request: Request) -> SharedStoreReport | None:
    return request.app.state.store.report if request.app.state.store else None


ModelDep = Annotated[ModelInfo, Depends(_model)]
JobsDep = Annotated[JobDoor | None, Depends(_jobs)]
"""None: there are no jobs."""
BatchesDep = Annotated[BatchDoor, Depends(_batches)]
"""For routes that are there only where there are batches."""
ProbesDep = Annotated[Probes, Depends(_probes)]
LoadDep = Annotated[LoadReport, Depends(_load)]
RegistryDep = Annotated[CollectorRegistry, Depends(_registry)]
ModelDirDep = Annotated[str, Depends(_model_dir)]
"""The directory in which checkpoints are."""
SharedStoreReportDep = Annotated[SharedStoreReport | None, Depends(_store_report)]
"""None: the process shares no store."""
