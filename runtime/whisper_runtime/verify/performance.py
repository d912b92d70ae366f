"""Measures how fast the clip is transcribed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from whisper_runtime.contract.reports import CheckResult, Performance
from whisper_runtime.verify.checks import VerifyTarget
from whisper_runtime.verify.client import NoResponse
from whisper_runtime.verify.functional import PLAIN


def measure(target: VerifyTarget, requests: int, concurrency: int) -> tuple[CheckResult, Performance | None]:
    """Sends the clip `requests` times, `concurrency` at once; the check passes where each is transcribed.

    The measurement is None where none is.
    """
    started = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        outcomes = list(pool.map(_seconds, [target] * requests))
    elapsed = time.perf_counter() - started
    seconds = [outcome for outcome in outcomes if isinstance(outcome, float)]
    problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
    check = CheckResult(
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
        realtime_factor=round(len(seconds) * target.seconds / elapsed, 2),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least `share` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _seconds(target: VerifyTarget) -> float | str:
    """Returns the seconds that one transcription took, or the problem."""
    try:
        response = target.server.post(PLAIN, {"language": target.clip_language}, target.clip)
    except NoResponse as error:
        return str(error)
    return response.seconds if response.status == 200 else f"answered {response.status}"
