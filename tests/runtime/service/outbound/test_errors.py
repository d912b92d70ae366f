"""Each reason why a server is not connected to, or gives nothing, has an answer for clients."""

from __future__ import annotations

from typing import get_args

from whisper_runtime.service.downloads import ANSWERS
from whisper_runtime.service.outbound.errors import OutboundError, OutboundReason


def test_each_reason_has_an_answer_that_a_client_can_act_on() -> None:
    assert ANSWERS.keys() == set(get_args(OutboundReason))
    assert all(status in (400, 502) for status, _, _ in ANSWERS.values())


def test_its_text_is_the_problem() -> None:
    error = OutboundError("Failed", "is on files.test, which cannot be reached")
    assert (error.reason, str(error)) == ("Failed", error.problem)
