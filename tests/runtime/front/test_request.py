"""Which requests pass, to what target, and which of them may be sent twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.batches import fake_batches
from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.errors import HttpError
from whisper_runtime.front.request import is_repeatable, passed_request, route_above, target_of
from whisper_runtime.http.app import create_app


def scope(method: str = "GET", path: str = "/v1/models", **headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


@pytest.mark.parametrize("path", ["/", "/wp-login.php", "/v1", "/openapi"])
def test_what_no_server_has_is_refused_here(path: str) -> None:
    with pytest.raises(HttpError, match="Unknown request URL: GET") as refused:
        passed_request(scope(path=path), "a", {})
    assert refused.value.status_code == 404


async def test_whatever_a_server_has_passes(tmp_path: Any) -> None:
    """Given all of its routes but the probes, which are the front's own."""
    parts = fake_parts(FakeEngine(), probes_on_http=False, jobs_dir=str(tmp_path))
    jobs = fake_jobs(parts, tmp_path)
    batches = fake_batches(parts, jobs, tmp_path)
    paths = create_app(parts, jobs, batches).openapi()["paths"]
    assert len(paths) > 10
    for path in (*paths, "/openapi.json"):
        passed_request(scope(path=path), "a", {})
    await batches.store.close()
    await jobs.close()


@pytest.mark.parametrize(
    ("method", "path", "becomes_job", "has_key", "is_safe"),
    [
        ("POST", "/v1/audio/transcriptions", False, False, True),
        ("POST", "/v1/audio/translations", False, False, True),
        ("POST", "/transcribe", False, False, True),
        ("POST", "/v1/audio/transcriptions", True, False, False),
        ("POST", "/v1/audio/transcriptions", True, True, True),
        ("POST", "/v1/audio/transcriptions/job_1/cancel", False, False, True),
        ("POST", "/v1/files", False, True, False),
        ("POST", "/v1/batches", False, True, False),
        ("GET", "/v1/files", False, False, True),
        ("DELETE", "/v1/files/file-1", False, False, True),
    ],
)
def test_what_may_be_sent_twice(method: str, path: str, becomes_job: bool, has_key: bool, is_safe: bool) -> None:
    assert is_repeatable(method, path, becomes_job=becomes_job, has_key=has_key) is is_safe


def test_a_key_that_ends_at_the_front_names_no_job() -> None:
    """The server that gets the request does not know it, so that a second one would make a second job."""
    headers = {"prefer": "respond-async", "idempotency-key": "a"}
    path = "/v1/audio/transcriptions"
    assert passed_request(scope("POST", path, **headers), "a", {}).is_repeatable
    assert not passed_request(scope("POST", path, connection="Idempotency-Key", **headers), "a", {}).is_repeatable


@pytest.mark.parametrize(
    ("method", "path", "headers", "may"),
    [
        ("POST", "/v1/audio/transcriptions", {}, True),
        ("POST", "/v1/audio/transcriptions", {"prefer": "respond-async"}, False),
        ("POST", "/v1/audio/translations", {}, False),
        ("GET", "/v1/audio/transcriptions", {}, False),
    ],
)
def test_which_answers_may_be_a_stream(method: str, path: str, headers: dict[str, str], may: bool) -> None:
    assert passed_request(scope(method, path, **headers), "a", {}).may_stream is may


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/audio/transcriptions", "/v1/audio/transcriptions"),
        ("/v1/audio/transcriptions/job_1/content", "/v1/audio/transcriptions"),
        ("/v1/files/file-1", "/v1/files"),
        ("/v1/filesystem", "none"),
        ("/v1/a-clients-own-words", "none"),
    ],
)
def test_a_span_is_named_by_no_word_of_the_clients(path: str, route: str) -> None:
    assert route_above(path).path_format == route


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        (b"/v1/models", b"", b"/v1/models"),
        (b"/v1/files", b"after=a%2Fb&limit=2", b"/v1/files?after=a%2Fb&limit=2"),
        (b"/v1/files/a%2Fb", b"", b"/v1/files/a%2Fb"),
        (b"http://evil.example.com/v1/models", b"", b"/v1/models"),
        (b"http://evil.example.com", b"a=b", b"/?a=b"),
    ],
)
def test_a_target_is_as_it_came_and_never_another_host(path: bytes, query: bytes, target: bytes) -> None:
    assert target_of({"raw_path": path, "query_string": query}) == target
