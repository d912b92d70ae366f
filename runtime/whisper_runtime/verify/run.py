"""`verify`: sends real requests at a server, and reports."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import Performance, VerifyReport
from whisper_runtime.verify import functional, metrics_port, security
from whisper_runtime.verify.checks import Subject, examined
from whisper_runtime.verify.client import Server
from whisper_runtime.verify.performance import measured

TIMEOUT_SECONDS: Final = 300.0


class CannotVerify(Exception):
    """What is missing for a verification; says what to give."""


@dataclass(frozen=True)
class Order:
    """What to verify."""

    url: str
    metrics_url: str | None
    api_key_file: str | None
    golden_dir: str
    max_word_error_rate: float
    requests: int
    """How many transcriptions are measured."""
    concurrency: int
    no_egress: bool = False
    """Whether the pods are to have no way out; told by the metrics alone."""


def verify(order: Order) -> VerifyReport:
    """Every check that `order` allows, one after the other; raises CannotVerify."""
    subject = _subject(order)
    checks = examined(functional.CHECKS, subject)
    answered, performance = measured(subject, order.requests, order.concurrency)
    checks.append(answered)
    if subject.server.key is not None:
        checks += examined(security.WITH_KEY, subject)
    checks += examined(security.CHECKS, subject)
    if subject.metrics is not None:
        checks += examined((*metrics_port.CHECKS, *(metrics_port.NO_EGRESS if order.no_egress else ())), subject)
        performance = performance and performance.model_copy(update=metrics_port.told(subject))
    spent = subject.server.spent + (subject.metrics.spent if subject.metrics else 0)
    return VerifyReport(checks=tuple(checks), performance=performance, requests=spent)


def table(report: VerifyReport) -> str:
    """The report for people: a line for each check, then the measurement and the verdict."""
    width = max(len(check.name) for check in report.checks)
    lines = [
        f"{'ok    ' if check.passed else 'FAILED'}  {check.name:{width}}  {check.message}" for check in report.checks
    ]
    if (found := report.performance) is not None:
        lines.append(
            f"{found.requests} transcriptions, {found.concurrency} at once: p50 {found.p50_seconds} s, "
            f"p95 {found.p95_seconds} s, {found.realtime_factor} x real time"
        )
        lines += [f"{name}: {value}" for name, value in _of_the_pod(found) if value is not None]
    failed = sum(not check.passed for check in report.checks)
    verdict = f"{failed} of {len(report.checks)} checks failed" if failed else f"all {len(report.checks)} checks passed"
    return "\n".join([*lines, f"{verdict}; {report.requests} requests spent"])


def _of_the_pod(found: Performance) -> Iterator[tuple[str, object]]:
    """What a pod told of itself, with what it is called for people."""
    yield "seconds from start to ready", found.load_seconds
    yield "runs on", found.device
    yield "runs in", found.compute_type
    yield "bytes of the GPU's memory", found.memory_bytes


def _subject(order: Order) -> Subject:
    clip = Path(order.golden_dir) / "clip.wav"
    try:
        key = Path(order.api_key_file).read_text().strip() if order.api_key_file else None
        with wave.open(str(clip)) as recording:
            seconds = recording.getnframes() / recording.getframerate()
        return Subject(
            server=Server(order.url, key, TIMEOUT_SECONDS),
            clip=clip.read_bytes(),
            words=(clip.parent / "clip.txt").read_text(),
            max_word_error_rate=order.max_word_error_rate,
            seconds=seconds,
            metrics=Server(order.metrics_url, None, TIMEOUT_SECONDS) if order.metrics_url else None,
        )
    except (OSError, EOFError, wave.Error) as error:
        raise CannotVerify(
            f"{error}: set WHISPER_GOLDEN_DIR to where clip.wav and clip.txt are, and --api-key-file to a file"
        ) from None
    except ValueError as error:
        raise CannotVerify(str(error)) from None
