"""Which silences count in the campaign of faults."""

from __future__ import annotations

import pytest

from chaos.silence import Silence, is_named

INGRESS = "Ingress/speech"


def silence_of(*looks: tuple[float, set[str], str]) -> float:
    found = Silence()
    for now, wrong, told in looks:
        found.observe(now, wrong, told)
    return found.longest


def test_what_is_right_is_no_silence() -> None:
    assert silence_of((0, set(), ""), (60, set(), "")) == 0


def test_a_child_that_nothing_names_is_silence_until_it_is_right() -> None:
    assert silence_of((0, {INGRESS}, ""), (60, {INGRESS}, "Deployment/speech"), (61, set(), "")) == 60


def test_a_child_that_is_told_ends_the_silence() -> None:
    assert silence_of((0, {INGRESS}, ""), (10, {INGRESS}, f"{INGRESS}: refused"), (70, {INGRESS}, INGRESS)) == 0
    assert silence_of((0, {INGRESS}, ""), (9, {INGRESS}, ""), (10, {INGRESS}, INGRESS)) == 9


def test_one_that_is_told_no_longer_begins_a_silence_anew() -> None:
    assert silence_of((0, {INGRESS}, INGRESS), (100, {INGRESS}, ""), (107, {INGRESS}, "")) == 7


def test_the_longest_of_several_counts() -> None:
    assert silence_of((0, {"Service/a", INGRESS}, ""), (5, {INGRESS}, ""), (8, {"Service/a"}, ""), (9, set(), "")) == 5


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Ingress/speech: refused", True),
        ("before Ingress/speech", True),
        ("Ingress/speech-2: refused", False),
        ("Ingress/speech-2: refused; Ingress/speech: refused", True),
        ("", False),
    ],
)
def test_which_texts_name_a_child(text: str, holds: bool) -> None:
    assert is_named(INGRESS, text) is holds
