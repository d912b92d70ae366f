"""A check passes with its finding, or fails with the problem; no response of a server ends the verification."""

from __future__ import annotations

import threading

import pytest

from tests.runtime.verify.conftest import CannedClient, target
from whisper_runtime.verify.checks import CheckFailed, VerifyTarget, expect_status, run_checks, run_checks_together
from whisper_runtime.verify.client import HttpResponse, NoResponse, ServerBusy


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CheckFailed("answered 500"), "answered 500"),
        (NoResponse(ConnectionRefusedError(111, "Connection refused")), "no answer: [Errno 111] Connection refused"),
        (NoResponse(TimeoutError()), "no answer: TimeoutError"),
        (KeyError("text"), "the answer has another shape than it should: KeyError: 'text'"),
    ],
)
def test_each_check_has_an_outcome_whatever_another_one_raises(error: Exception, message: str) -> None:
    def failing(_: VerifyTarget) -> str:
        raise error

    found = list(run_checks((("bad", failing), ("good", lambda _: "fine")), target(CannedClient())))
    assert [(check.name, check.passed, check.message) for check in found] == [
        ("bad", False, message),
        ("good", True, "fine"),
    ]


def test_together_no_more_run_than_are_allowed_and_each_outcome_is_in_its_place() -> None:
    both = threading.Barrier(2)
    running, most = list[str](), list[int]()

    def meets_another(name: str) -> str:
        running.append(name)
        both.wait(timeout=30)
        most.append(len(running))
        both.wait(timeout=30)
        running.remove(name)
        return name

    checks = [(name, lambda _, name=name: meets_another(name)) for name in "abcd"]
    found = list(run_checks_together(checks, target(CannedClient()), 2))
    assert [(check.name, check.message) for check in found] == [(name, name) for name in "abcd"]
    assert max(most) == 2


def test_together_what_others_found_is_kept_where_the_server_is_too_busy_for_one() -> None:
    def busy(_: VerifyTarget) -> str:
        raise ServerBusy("the server has been busy for 1 s: it answered 429")

    found = run_checks_together((("busy", busy), ("good", lambda _: "fine")), target(CannedClient()), 2)
    assert next(found).name == "good"
    with pytest.raises(ServerBusy, match="it answered 429"):
        next(found)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error": {"message": "The file is not audio."}}', "answered 400 instead of 200: The file is not audio."),
        (b"<html>" + b"x" * 1000, "answered 400 instead of 200: <html>" + "x" * 94),
        (b"[]", "answered 400 instead of 200: []"),
    ],
)
def test_another_status_is_a_failure_with_the_servers_error(body: bytes, says: str) -> None:
    with pytest.raises(CheckFailed) as raised:
        expect_status(HttpResponse(400, {}, body, 0.0), 200)
    assert str(raised.value) == says
