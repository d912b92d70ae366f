"""The store as one processor that makes one call after the other: how long calls wait for it, simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

CALLS: Final = 400_000


@dataclass(frozen=True)
class StoreLoad:
    busy: float
    """Part of the time in which the store's processor is busy; above 1 it never catches up."""
    waits: tuple[float, float]
    """Seconds from a call's arrival to its reply: of 99 % and of 99.9 % at most."""


def simulated(calls: Mapping[str, float], costs: Mapping[str, float], seed: int) -> StoreLoad:
    """Calls that come at random times, so many of each verb a second, each of which costs what was measured.

    By Lindley's recursion (https://en.wikipedia.org/wiki/Lindley_equation), as a running minimum.
    """
    random = np.random.default_rng(seed)
    verbs = sorted(calls)
    rates = np.array([calls[verb] for verb in verbs])
    seconds = np.array([costs[verb] for verb in verbs])
    served = seconds[random.choice(len(verbs), CALLS, p=rates / rates.sum())]
    steps = np.concatenate([[0.0], np.cumsum(served[:-1] - random.exponential(1 / rates.sum(), CALLS - 1))])
    replies = steps - np.minimum.accumulate(steps) + served
    p99, p999 = np.quantile(replies, (0.99, 0.999))
    return StoreLoad(float(rates @ seconds), (float(p99), float(p999)))
