"""How fast the clip comes back."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from whisper_runtime.contract.reports import Check, Performance
from whisper_runtime.verify.checks import Subject
from whisper_runtime.verify.functional import PLAIN


def measured(subject: Subject, requests: int, concurrency: int) -> tuple[Check, Performance | None]:
    """Sends the clip `requests` times, `concurrency` at once; passes where each is transcribed."""
    started = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        outcomes = list(pool.map(_seconds, [subject] * requests))
    elapsed = time.perf_counter() - started
    seconds = [outcome for outcome in outcomes if isinstance(outcome, float)]
    problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
    check = Check(
        name="all-answered",
        passed=not problems,
        message=f"{len(seconds)} of {requests}" + (f"; {problems[0]}" if problems else ""),
    )
    if not seconds:
        return check, None
    return check, Performance(
        requests=requests,
        concurrency=concurrency,
        p50_seconds=round(percentile(seconds, 0.5), 3),
        p95_seconds=round(percentile(seconds, 0.95), 3),
        realtime_factor=round(len(seconds) * subject.seconds / elapsed, 2),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _seconds(subject: Subject) -> float | str:
    """How long one transcription took, or why there was none."""
    try:
        answer = subject.server.post(PLAIN, {}, subject.clip)
    except (OSError, HTTPException) as error:
        return f"no answer: {error or type(error).__name__}"
    return answer.seconds if answer.status == 200 else f"answered {answer.status}"
