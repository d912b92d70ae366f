"""Which faults are done to a service of several pods, and in which order."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from chaos.fleet.fleet_faults import FAULTS, PARTS, plan

SECONDS = 1_200.0


def planned(number: int, seed: int) -> list[str]:
    return [one.name for one in plan(number, SECONDS, random.Random(seed))]


def test_each_kind_is_among_them() -> None:
    assert set(planned(100, 1)) == set(FAULTS)


def test_there_are_as_many_as_asked_for() -> None:
    assert [len(planned(number, 1)) for number in (0, 3, len(FAULTS), 100)] == [0, 3, len(FAULTS), 100]


def test_a_seed_repeats_its_order() -> None:
    assert planned(50, 3) == planned(50, 3) != planned(50, 4)


def test_what_takes_long_is_rarer() -> None:
    counted = Counter(planned(1_000, 1))
    assert counted["a server killed"] > 2 * counted["zero and back"]


def test_those_of_each_part_are_spread_over_the_time() -> None:
    found = plan(100, SECONDS, random.Random(1))
    for part in PARTS:
        dues = [one.due for one in found if FAULTS[one.name].part == part]
        assert dues[0] == 0
        assert {round(later - sooner, 3) for sooner, later in pairwise(dues)} == {round(SECONDS / len(dues), 3)}
