"""Errors have OpenAI's body, and say whether a retry may help, and when."""

from __future__ import annotations

import json

import pytest

from whisper_runtime.errors import HttpError, error_response, retry_after, too_many_requests, unavailable


@pytest.mark.parametrize(
    ("excess", "speed", "seconds"), [(0, 10, 1), (5, 10, 1), (300, 10, 30), (300, 0.5, 120), (3600, 1, 120)]
)
def test_retry_after_follows_the_measured_speed(excess: float, speed: float, seconds: int) -> None:
    assert retry_after(excess, speed) == seconds


@pytest.mark.parametrize(
    ("error", "kind", "headers"),
    [
        (HttpError(400, "m"), "invalid_request_error", {"x-should-retry": "false"}),
        (HttpError(500, "m"), "server_error", {"x-should-retry": "false"}),
        (unavailable("m", "shutting_down", 1), "server_error", {"retry-after": "1"}),
        (too_many_requests("m", "queue_full", 7), "rate_limit_error", {"retry-after": "7"}),
        (unavailable("m", "c", 7).with_headers({"x-a": "b"}), "server_error", {"retry-after": "7", "x-a": "b"}),
    ],
)
def test_a_response_has_openais_body_and_says_whether_to_retry(
    error: HttpError, kind: str, headers: dict[str, str]
) -> None:
    response = error_response(error)
    body = json.loads(bytes(response.body))["error"]
    assert (response.status_code, body["type"], body["message"]) == (error.status_code, kind, "m")
    assert body.keys() == {"message", "type", "param", "code"}
    assert {name: value for name, value in response.headers.items() if not name.startswith("content-")} == headers
