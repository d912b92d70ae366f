"""The conditions of a status follow from the updates and the conditions before."""

from __future__ import annotations

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
