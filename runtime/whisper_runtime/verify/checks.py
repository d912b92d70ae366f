"""What a check is: a function that says what it found, or raises what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException

from whisper_runtime.contract.reports import Check
from whisper_runtime.verify.client import Answer, Server


class Wrong(Exception):
    """What the server did, and what it should have done."""


@dataclass(frozen=True)
class Subject:
    """What a verification is about, and what it needs."""

    server: Server
    clip: bytes
    """A recording, as a file's content."""
    words: str
    """What is spoken in it, in English."""
    max_word_error_rate: float
    """Share of the words that may come out wrong."""
    seconds: float
    """Its length."""
    metrics: Server | None = None


Examine = Callable[[Subject], str]
"""Gives one sentence of what was found; raises Wrong."""


def examined(checks: Iterable[tuple[str, Examine]], subject: Subject) -> list[Check]:
    """The outcome of each check, in order; whatever a strange server does to one leaves the others alone."""
    return [_examined(name, examine, subject) for name, examine in checks]


def _examined(name: str, examine: Examine, subject: Subject) -> Check:
    try:
        return Check(name=name, passed=True, message=examine(subject))
    except Wrong as wrong:
        problem = str(wrong)
    except (OSError, HTTPException) as error:
        problem = f"no answer: {error or type(error).__name__}"
    except (ValueError, LookupError, TypeError) as error:
        problem = f"the answer has another shape than it should: {type(error).__name__}: {error}"
    return Check(name=name, passed=False, message=problem)


def wanted(answer: Answer, status: int) -> Answer:
    """`answer`, where it has this status; raises Wrong with what the server says instead."""
    if answer.status != status:
        raise Wrong(f"answered {answer.status} instead of {status}: {_problem(answer)}")
    return answer


def _problem(answer: Answer) -> str:
    """The sentence of an error in OpenAI's shape, else how the body begins."""
    try:
        return str(answer.json["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.text[:100]
