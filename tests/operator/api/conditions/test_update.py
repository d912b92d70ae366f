"""The conditions of a status follow from the updates and the conditions before."""

from __future__ import annotations

import pytest

from whisper_operator.api.conditions import AS_SPECIFIED, AVAILABLE, READY, ROLLING_OUT, ConditionUpdate, conditions

BEFORE = conditions([ConditionUpdate(READY, "False", ROLLING_OUT, "1 of 2")], (), 3, "2026-01-01T00:00:00Z")


def test_a_new_condition_changed_now() -> None:
    (ready,) = BEFORE
    assert (ready.reason, ready.observed_generation, ready.last_transition_time) == (
        "RollingOut",
        3,
        "2026-01-01T00:00:00Z",
    )


def test_a_new_message_keeps_the_time_of_the_last_change() -> None:
    (ready,) = conditions([ConditionUpdate(READY, "False", ROLLING_OUT, "2 of 2")], BEFORE, 4, "2026-01-02T00:00:00Z")
    assert (ready.message, ready.observed_generation) == ("2 of 2", 4)
    assert ready.last_transition_time == "2026-01-01T00:00:00Z"


def test_a_new_status_moves_the_time_of_its_own_condition_alone() -> None:
    update = [ConditionUpdate(READY, "True", AS_SPECIFIED), ConditionUpdate(AVAILABLE, "True", AS_SPECIFIED)]
    ready, available = conditions(update, BEFORE, 4, "2026-01-02T00:00:00Z")
    assert ready.last_transition_time == available.last_transition_time == "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("reason", "kept", "message"),
    [
        ("Rejected:By,Policy_1", "Rejected:By,Policy_1", "no"),
        ("PostStartHookError: command 'a' failed", "PostStartHookError", "PostStartHookError: command 'a' failed: no"),
        ("", "Unspecified", ": no"),
        ("503", "Unspecified", "503: no"),
        ("a" * 1025, "Unspecified", f"{'a' * 1025}: no"),
    ],
)
def test_anothers_reason_is_one_that_the_api_server_takes(reason: str, kept: str, message: str) -> None:
    (found,) = conditions([ConditionUpdate(AVAILABLE, "False", reason, "no")], (), 1, "2026-01-01T00:00:00Z")
    assert (found.reason, found.message) == (kept, message)


def test_a_message_is_cut_where_the_api_server_would_refuse_it() -> None:
    (found,) = conditions(
        [ConditionUpdate(AVAILABLE, "False", ROLLING_OUT, "a" * 40000)], (), 1, "2026-01-01T00:00:00Z"
    )
    assert len(found.message) == 32768
