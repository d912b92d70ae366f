"""The server's own OpenAPI document is true: what schemathesis makes of it gets answers of the documented shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fakes.batches import fake_batches
from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.http.app import create_app

pytestmark = pytest.mark.slow

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 240
"""Hypothesis draws others whenever a constant of any loaded source changes."""
OPERATIONS = {
    ("POST", "/transcribe"): {"application/json"},
    ("POST", "/v1/audio/transcriptions"): {"application/json", "text/plain", "text/event-stream"},
    ("POST", "/v1/audio/translations"): {"application/json", "text/plain"},
    ("GET", "/v1/models"): {"application/json"},
    ("GET", "/v1/models/{model}"): set[str](),
}
"""What is served, and the media types of good answers that EXAMPLES requests must have met."""
JSON, TEXT, EVENTS = dict[str, str](), {"response_format": "text"}, {"stream": "true"}
SPOKEN = {
    "/transcribe": [JSON],
    "/v1/audio/transcriptions": [JSON, TEXT, EVENTS],
    "/v1/audio/translations": [JSON, TEXT],
}
"""The fields that ask for each of those media types."""

app = create_app(fake_parts(FakeEngine()))
schema = schemathesis.openapi.from_asgi("/openapi.json", app)


def test_every_operation_is_documented() -> None:
    documented = {
        (method.upper(), path) for path, operations in app.openapi()["paths"].items() for method in operations
    }
    assert documented == OPERATIONS.keys()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_answers_are_as_documented(method: str, path: str) -> None:
    operation = schema[path][method]
    cases = st.one_of(*(operation.as_strategy(mode) for mode in GenerationMode))
    met: set[str] = set()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(cases, st.sampled_from([None, *SPOKEN.get(path, [])]))
    def explore(case: schemathesis.Case, alone: dict[str, str] | None) -> None:
        if alone is not None and isinstance(case.body, dict):
            case.body = spoken(case.body, alone)
        response = case.call_and_validate(checks=CHECKS)
        if response.status_code == 200:
            met.add(response.headers["content-type"][0].partition(";")[0])

    explore()
    assert met >= OPERATIONS[method, path]


JOBS = "/v1/audio/transcriptions"
OF_JOBS = {
    ("GET", JOBS),
    ("GET", f"{JOBS}/{{job_id}}"),
    ("GET", f"{JOBS}/{{job_id}}/content"),
    ("GET", f"{JOBS}/{{job_id}}/events"),
    ("POST", f"{JOBS}/{{job_id}}/cancel"),
    ("DELETE", f"{JOBS}/{{job_id}}"),
}


OF_BATCHES = {
    ("POST", "/v1/files"),
    ("GET", "/v1/files"),
    ("GET", "/v1/files/{file_id}"),
    ("GET", "/v1/files/{file_id}/content"),
    ("DELETE", "/v1/files/{file_id}"),
    ("POST", "/v1/batches"),
    ("GET", "/v1/batches"),
    ("GET", "/v1/batches/{batch_id}"),
    ("POST", "/v1/batches/{batch_id}/cancel"),
}


@pytest.fixture
async def with_jobs(tmp_path: Path) -> AsyncIterator[FastAPI]:
    parts = fake_parts(FakeEngine(), jobs_dir=str(tmp_path))
    door = fake_jobs(parts, tmp_path)
    batches = fake_batches(parts, door, tmp_path)
    yield create_app(parts, door, batches)
    await batches.store.close()
    await door.close()


def test_a_server_that_keeps_jobs_documents_them(with_jobs: FastAPI) -> None:
    paths = with_jobs.openapi()["paths"]
    documented = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert documented == OPERATIONS.keys() | OF_JOBS | OF_BATCHES
    assert {"200", "202", "409", "422", "507"} <= paths[JOBS]["post"]["responses"].keys()
    assert [one["name"] for one in paths[JOBS]["post"]["parameters"]] == ["Prefer", "Idempotency-Key"]
    assert "202" not in app.openapi()["paths"][JOBS]["post"]["responses"]


@pytest.mark.parametrize(("method", "path"), sorted(OF_JOBS | OF_BATCHES | {("POST", JOBS)}))
def test_answers_about_jobs_are_as_documented(with_jobs: FastAPI, method: str, path: str) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", with_jobs)[path][method]
    met: set[int] = set()

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.one_of(*(operation.as_strategy(mode) for mode in GenerationMode)))
    def explore(case: schemathesis.Case) -> None:
        if method == "POST" and path == JOBS:
            case.body, case.headers = {"model": "base", "file": "speech 2.5"}, {"Prefer": "respond-async"}
        response = case.call_and_validate(checks=CHECKS)
        met.add(response.status_code)

    explore()
    assert met & {200, 202, 404}


def spoken(form: dict[str, Any], option: dict[str, str]) -> dict[str, Any]:
    """The form with audio, which bytes at random never are, and with one option, which no other contradicts."""
    return {name: form[name] for name in ("model",) if name in form} | option | {"file": "speech 2.5"}


def test_a_server_with_keys_documents_them() -> None:
    def document(**config: Any) -> dict[str, Any]:
        return create_app(fake_parts(FakeEngine(), **config)).openapi()

    assert document(api_keys_dir="/keys")["security"] == [{"bearer": []}, {"apiKey": []}]
    assert "security" not in document()


def test_the_form_names_the_served_model() -> None:
    form = app.openapi()["components"]["schemas"]["TranscriptionForm"]
    assert form["properties"]["model"]["enum"][:2] == ["base", "whisper-1"]
    assert form["additionalProperties"] is True  # and named in X-Ignored-Fields, unless they could change the words
