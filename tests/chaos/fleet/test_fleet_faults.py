"""Which faults are done to a service of several pods, and in which order."""

from __future__ import annotations

import random
from collections import Counter

from chaos.fleet.fleet_faults import FAULTS, plan


def test_each_kind_is_among_them() -> None:
    assert set(plan(100, random.Random(1))) == set(FAULTS)


def test_there_are_as_many_as_asked_for() -> None:
    assert [len(plan(number, random.Random(1))) for number in (0, 3, len(FAULTS), 100)] == [0, 3, len(FAULTS), 100]


def test_a_seed_repeats_its_order() -> None:
    assert plan(50, random.Random(3)) == plan(50, random.Random(3)) != plan(50, random.Random(4))


def test_what_takes_long_is_rarer() -> None:
    counted = Counter(plan(1_000, random.Random(1)))
    assert counted["a server killed"] > 2 * counted["zero and back"]
