"""What a trial of a client shows, given what the recording says. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from testbed.clients.front import RETRY_AFTER
from testbed.inputs.recordings import JFK_WORDS

SECONDS: Final = 11.0
"""Of the recording."""
ANSWERS: Final = ("json", "words", "srt", "stream", "translation")
"""What a client may be able to ask for."""
AGAIN: Final = "429 once"
"""Refused once, and answered when it asks again."""
REFUSALS: Final = {"429": 429, "503": 503, "401": 401, "413": 413}
"""What is refused as often as a client asks; the status of each."""
CUE: Final = re.compile(r"(\d+)\n(\S+) --> (\S+)\n(.+)")

Answer = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    cell: str
    failure: str | None = None
    """What is wrong; None where the client did what it promises."""


def on_answer(task: str, answer: Answer) -> Verdict:
    """Whether a client gives its caller what was asked for: `task` is one of ANSWERS."""
    if error := answer.get("error"):
        return Verdict("✗", f"raised {error}")
    check = {"words": _words, "srt": _cues, "stream": _stream}.get(task, _text)
    failure = check(answer)
    return Verdict("✗" if failure else "✓", failure)


def on_second_try(answer: Answer, seen: Sequence[float]) -> Verdict:
    """How a client takes one 429 with `Retry-After`; `seen`: when each request came, in seconds."""
    if answer.get("error"):
        return Verdict("raises", None if len(seen) == 1 else f"raised {answer['error']} after {len(seen)} requests")
    if failure := _text(answer):
        return Verdict("✗", failure)
    waited = seen[1] - seen[0]
    return Verdict("waits" if waited >= RETRY_AFTER - 0.1 else "too soon")


def on_refusal(status: int, answer: Answer, seen: Sequence[float], *, is_silent: bool) -> Verdict:
    """How many requests a client sends that is refused each time, and whether its caller learns of it.

    `is_silent`: the client is known to tell its caller nothing.
    """
    requests = str(len(seen))
    error = answer.get("error")
    if not error:
        return Verdict(requests, None if is_silent else f"a caller is told nothing of {status}: {answer}")
    if error.get("status") == status or str(status) in error["message"]:
        return Verdict(requests)
    return Verdict(requests, f"a caller is told {error} of {status}")


def spoken(text: str) -> str:
    """The words alone, in lower case."""
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def _text(answer: Answer) -> str | None:
    return None if spoken(answer["text"]) == spoken(JFK_WORDS) else f"the text is {answer['text']!r}"


def _words(answer: Answer) -> str | None:
    words = answer["words"]
    times = [time for _, start, end in words for time in (start, end)]
    if spoken(" ".join(word for word, *_ in words)) != spoken(JFK_WORDS):
        return f"the words are {words}"
    if any(later < earlier for earlier, later in pairwise(times)) or not 0 <= times[0] < times[-1] <= SECONDS:
        return f"the times are {times}"
    if abs(answer.get("duration", SECONDS) - SECONDS) > 0.1:
        return f"the duration is {answer['duration']}"
    if answer.get("language", "en") not in ("en", "english"):
        return f"the language is {answer['language']}"
    return _text(answer)


def _cues(answer: Answer) -> str | None:
    cues = CUE.findall(answer["text"])
    if [number for number, *_ in cues] != [str(number + 1) for number in range(len(cues))]:
        return f"the cues are {answer['text']!r}"
    return _text({"text": " ".join(text for *_, text in cues)})


def _stream(answer: Answer) -> str | None:
    if "".join(answer["deltas"]) != answer["text"]:
        return f"the deltas are {answer['deltas']}, and the text {answer['text']!r}"
    return _text(answer)
