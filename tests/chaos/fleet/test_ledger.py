"""What clients of a disturbed service may get: the right text, a refusal that says when to come again, and no more."""

from __future__ import annotations

import httpx
import pytest

from chaos.fleet.ledger import AFTERMATH_SECONDS, BrokenRequest, ClientLedger, InjectedFault, unexplained

KILLED = InjectedFault("a front killed", frozenset({"whole", "stream"}), 100.0, 101.0)


def broken(door: str, began: float, ended: float) -> BrokenRequest:
    return BrokenRequest(door, began, ended, "ReadError")


def test_the_text_of_any_of_the_models_is_right() -> None:
    ledger = ClientLedger()
    ledger.take("whole", 0.0, "a", ["a", "b"])
    assert (ledger.answered["whole"], ledger.problems) == (1, [])


def test_the_text_of_another_recording_is_a_problem_that_does_not_show_it() -> None:
    ledger = ClientLedger()
    ledger.take("whole", 0.0, "secret", ["a", "b"])
    assert ledger.answered["whole"] == 0
    assert ledger.problems == ["whole: another text than that of its recording, of 6 characters"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_says_when_to_come_again(status: int) -> None:
    ledger = ClientLedger()
    answer = httpx.Response(status, headers={"Retry-After": "7"}, json={"error": {"code": "queue_full"}})
    assert ledger.take_refusal("whole", answer) == 7.0
    assert (ledger.refused, ledger.problems) == ({f"{status} queue_full": 1}, [])


def test_a_refusal_without_that_is_a_problem() -> None:
    ledger = ClientLedger()
    ledger.take_refusal("whole", httpx.Response(503, text="down"))
    assert ledger.problems == ["whole: 503 without Retry-After: down"]


@pytest.mark.parametrize("status", [200, 404, 500, 502])
def test_any_other_status_is_no_refusal(status: int) -> None:
    assert ClientLedger().take_refusal("whole", httpx.Response(status)) is None


@pytest.mark.parametrize(
    ("one", "is_explained"),
    [
        (broken("whole", 99.0, 100.5), True),
        (broken("stream", 101.0 + AFTERMATH_SECONDS, 400.0), True),
        (broken("whole", 50.0, 99.9), False),
        (broken("whole", 101.1 + AFTERMATH_SECONDS, 400.0), False),
        (broken("job", 99.0, 100.5), False),
    ],
    ids=["under way", "in the aftermath", "before", "long after", "another door"],
)
def test_a_connection_may_break_where_a_fault_explains_it(one: BrokenRequest, is_explained: bool) -> None:
    assert (unexplained([one], [KILLED]) == []) is is_explained
