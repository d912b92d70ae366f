"""What clients of a disturbed service got, and what of it is no answer that they may get."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import httpx

REFUSALS: Final = frozenset({429, 503})
"""Statuses with which a request may be refused for now; each says by Retry-After when it may come again."""
AFTERMATH_SECONDS: Final = 60.0
"""For so long after a fault the connections that it cost may break."""


@dataclass(frozen=True)
class BrokenRequest:
    """A connection that ended before its answer did."""

    door: str
    began: float
    """By the monotonic clock, in seconds."""
    ended: float
    cause: str


@dataclass(frozen=True)
class InjectedFault:
    name: str
    breaks: frozenset[str]
    """Doors of which connections may break by it."""
    began: float
    """By the monotonic clock, in seconds."""
    ended: float


@dataclass
class ClientLedger:
    """Threads append; nothing is taken back."""

    answered: Counter[str] = field(default_factory=Counter[str])
    """Right texts, by door."""
    waits: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Seconds from a request's first try to its answer, by door."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """By status and code."""
    broken: list[BrokenRequest] = field(default_factory=list[BrokenRequest])
    problems: list[str] = field(default_factory=list[str])
    """Answers that no client may get."""

    def take(self, door: str, began: float, text: str, allowed: Iterable[str]) -> None:
        """Takes in the text of one request; `allowed`: what each model makes of its recording."""
        self.waits.setdefault(door, []).append(time.monotonic() - began)
        if text in set(allowed):
            self.answered[door] += 1
        else:
            self.problems.append(f"{door}: another text than that of its recording, of {len(text)} characters")

    def take_refusal(self, door: str, answer: httpx.Response) -> float | None:
        """Seconds after which to come again; None where the answer is not one that says so."""
        if answer.status_code not in REFUSALS:
            return None
        wait = answer.headers.get("retry-after", "")
        if not wait.isdigit():
            self.problems.append(f"{door}: {answer.status_code} without Retry-After: {answer.text[:200]}")
            return 1.0
        self.refused[f"{answer.status_code} {code_of(answer)}"] += 1
        return float(wait)


def code_of(answer: httpx.Response) -> str:
    """`error.code` of OpenAI's error body; its type where it has none, or nothing where it is no such body."""
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(error.get("code") or error.get("type") or "")


def unexplained(broken: Iterable[BrokenRequest], faults: Iterable[InjectedFault]) -> list[BrokenRequest]:
    """The connections that broke, and had no fault meanwhile or shortly before by which theirs may."""
    known = list(faults)
    return [one for one in broken if not any(_explains(fault, one) for fault in known)]


def _explains(fault: InjectedFault, one: BrokenRequest) -> bool:
    is_near = fault.began <= one.ended and one.began <= fault.ended + AFTERMATH_SECONDS
    return one.door in fault.breaks and is_near
