"""A pass whose answers were not what it applied comes again, a few times."""

from __future__ import annotations

from whisper_operator.reconcile.revisits import MOST_CONFLICTS, MOST_REVISITS, REVISIT_SECONDS, Revisits

KEY = ("team", "speech")


def test_a_pass_comes_again_until_it_has_settled() -> None:
    revisits = Revisits()
    assert revisits.seconds(KEY) is None
    revisits.take_in(KEY, is_settled=False)
    assert revisits.seconds(KEY) == REVISIT_SECONDS
    assert revisits.seconds(("team", "another")) is None
    revisits.take_in(KEY, is_settled=True)
    assert revisits.seconds(KEY) is None


def test_it_does_not_come_for_ever_and_does_so_again_later() -> None:
    revisits = Revisits()
    waits: list[float | None] = []
    for _ in range(MOST_REVISITS + 2):
        revisits.take_in(KEY, is_settled=False)
        waits.append(revisits.seconds(KEY))
    assert waits == [REVISIT_SECONDS] * MOST_REVISITS + [None] * 2
    revisits.take_in(KEY, is_settled=True)
    revisits.take_in(KEY, is_settled=False)
    assert revisits.seconds(KEY) == REVISIT_SECONDS


def test_a_conflict_is_told_once_it_has_come_again_and_again() -> None:
    revisits = Revisits()
    told: list[bool] = []
    for _ in range(MOST_CONFLICTS):
        revisits.take_in(KEY, is_settled=True, is_conflict=True)
        told.append(revisits.is_conflict_to_tell(KEY))
    assert told == [False] * (MOST_CONFLICTS - 1) + [True]
    revisits.take_in(KEY, is_settled=True)
    assert not revisits.is_conflict_to_tell(KEY)
