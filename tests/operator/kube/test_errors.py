"""Which errors of the API server only a change can mend."""

from __future__ import annotations

import pytest

from whisper_operator.kube.errors import ApiError


@pytest.mark.parametrize(
    ("status", "message", "is_rejection"),
    [
        (422, "Deployment is invalid", True),
        (403, "exceeded quota", True),
        (404, "namespace not found", True),
        (413, "request is too large", True),
        (500, "failed to create typed patch object (/; apps/v1, Kind=Deployment): unknown field", True),
        (500, "failed to convert new object (/; apps/v1, Kind=Deployment): quantities must match", True),
        (500, "etcdserver: request timed out", False),
        (409, "the object has been modified", False),
        (409, 'admission webhook "a.example.com" denied the request: no such team', True),
        (429, "too many requests", False),
        (0, "connection refused", False),
    ],
)
def test_a_rejection_is_what_the_same_request_would_get_again(status: int, message: str, is_rejection: bool) -> None:
    assert ApiError("PATCH /x", status, "", message).is_rejection == is_rejection


def test_a_webhooks_denial_is_no_conflict_whatever_its_status() -> None:
    assert ApiError("PATCH /x", 409, "Conflict", "the object has been modified").is_conflict
    assert not ApiError("PATCH /x", 409, "", 'admission webhook "a" denied the request without explanation').is_conflict
    assert not ApiError("PATCH /x", 500, "", "etcdserver: request timed out").is_conflict


def test_a_webhooks_denial_is_no_object_that_is_not_there() -> None:
    """Many pass on what the API server answered to a request of their own."""
    message = 'admission webhook "a.example.com" denied the request: teams.example.com "a" not found'
    assert not ApiError("DELETE /x", 404, "NotFound", message).is_not_found
    assert ApiError("DELETE /x", 404, "NotFound", message).is_rejection


@pytest.mark.parametrize(
    ("message", "is_webhooks"),
    [
        ('admission webhook "a.example.com" denied the request: no', True),
        ('Internal error occurred: failed calling webhook "a.example.com": connection refused', True),
        ("etcdserver: request timed out", False),
    ],
)
def test_what_a_webhook_keeps_from_being_written_is_known(message: str, is_webhooks: bool) -> None:
    assert ApiError("PATCH /x", 500, "InternalError", message).is_webhooks == is_webhooks


def test_an_api_that_is_not_served_is_no_object_that_is_not_there() -> None:
    assert ApiError("GET /x", 404, "NotFound", "").is_not_found
    assert not ApiError("GET /x", 404, "", "404 page not found").is_not_found


def test_an_error_without_a_field_is_known() -> None:
    assert ApiError("PATCH /x", 500, "", "failed to convert new object: quantities must match").names_no_field
    assert not ApiError("PATCH /x", 500, "", "failed to create typed patch object: .spec.x: unknown").names_no_field


def test_an_error_names_its_request() -> None:
    assert str(ApiError("PATCH /x", 403, "Forbidden", "no")) == "PATCH /x: 403 Forbidden: no"
