"""The frame of a check: a function that returns its finding, or raises CheckFailed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from whisper_runtime.contract.reports import CheckResult
from whisper_runtime.verify.client import HttpResponse, NoResponse, ServerBusy, ServiceClient


class CheckFailed(Exception):
    """The server did something else than it should; the message says both."""


@dataclass(frozen=True)
class VerifyTarget:
    """The server under verification, and the recording that it must transcribe."""

    server: ServiceClient
    clip: bytes
    """A recording, as a file's content."""
    words: str
    """The recording's words, in its language."""
    max_word_error_rate: float
    """Share of the words that may be wrong."""
    seconds: float
    """The recording's length."""
    metrics: ServiceClient | None = None
    """The port for probes and metrics; None where it is not to be checked."""
    clip_language: str = "en"
    """ISO-639-1 code of the recording's language."""
    default_language: str = "auto"
    """Code of the language that the server takes where a request names none; `auto`: it detects it."""


CheckFunction = Callable[[VerifyTarget], str]
"""Returns its finding as one sentence; raises CheckFailed."""


def run_checks(checks: Iterable[tuple[str, CheckFunction]], target: VerifyTarget) -> Iterator[CheckResult]:
    """Yields the outcome of each check as it ends; an unexpected response to one leaves the others alone.

    Raises ServerBusy in place of the first outcome that the server is too busy for.
    """
    for name, function in checks:
        yield _run(name, function, target)


def run_checks_together(
    checks: Iterable[tuple[str, CheckFunction]], target: VerifyTarget, at_once: int
) -> Iterator[CheckResult]:
    """Yields the outcomes of `checks`, in their order, of which up to `at_once` run at the same time.

    Raises ServerBusy after the last outcome, where the server was too busy for one of them.
    """
    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(_run, name, function, target) for name, function in checks]
    busy: ServerBusy | None = None
    for check in running:
        try:
            yield check.result()
        except ServerBusy as error:
            busy = error
    if busy:
        raise busy


def _run(name: str, function: CheckFunction, target: VerifyTarget) -> CheckResult:
    try:
        return CheckResult(name=name, passed=True, message=function(target))
    except (CheckFailed, NoResponse) as error:
        problem = str(error)
    except (ValueError, LookupError, TypeError) as error:
        problem = f"the answer has another shape than it should: {type(error).__name__}: {error}"
    return CheckResult(name=name, passed=False, message=problem)


def expect_status(response: HttpResponse, status: int) -> HttpResponse:
    """Returns `response` where it has this status; raises CheckFailed with the server's error otherwise."""
    if response.status != status:
        raise CheckFailed(f"answered {response.status} instead of {status}: {_problem(response)}")
    return response


def _problem(response: HttpResponse) -> str:
    """The message of an error in OpenAI's shape, else the start of the body."""
    try:
        return str(response.json["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return response.text[:100]
