"""The servers' own routes of transcriptions, over what is kept of them alone: for the front (ADR 81)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request

from whisper_runtime.http.app import NO_TELEMETRY
from whisper_runtime.http.error_handlers import answer_in_openai_shape
from whisper_runtime.http.file_digest import HeadParser
from whisper_runtime.http.openai.forms import MAX_FIELD_KIB, MAX_FIELDS
from whisper_runtime.http.routes import openai, plain
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.transcribe import RequestTranscriber


def create_kept_app(model: ServedModel, transcriber_of: Callable[[Request], RequestTranscriber]) -> FastAPI:
    """The application; who calls it has let the request in, and leaves that in its RequestState."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        form_limits={"max_files": 1, "max_fields": MAX_FIELDS, "max_part_size": MAX_FIELD_KIB * 1024},
        telemetry=NO_TELEMETRY,
    )
    app.state.jobs = None
    app.state.model = model
    app.state.form_parser = HeadParser
    app.state.transcriber_of = transcriber_of
    answer_in_openai_shape(app)
    for routes in (plain, openai):
        app.include_router(routes.router)
    return app
