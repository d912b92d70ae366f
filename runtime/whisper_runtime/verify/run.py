"""A verification: sends real requests to a server, and reports."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import CheckResult, Performance, VerifyReport
from whisper_runtime.verify import functional, jobs, metrics_port, security, speakers
from whisper_runtime.verify.checks import VerifyTarget, run_checks, run_checks_together
from whisper_runtime.verify.client import PATIENCE_SECONDS, ServerBusy, ServiceClient
from whisper_runtime.verify.performance import measure

TIMEOUT_SECONDS: Final = 300.0
AT_ONCE: Final = 4
"""Requests that are sent at the same time: enough for a batch, and few beside those of a service's clients."""


class CannotVerify(Exception):
    """Something is missing for a verification; the message says which setting to give."""


@dataclass(frozen=True)
class VerifyOptions:
    """The server to verify, and how."""

    url: str
    metrics_url: str | None
    api_key_file: str | None
    golden_dir: str
    max_word_error_rate: float
    requests: int
    """Transcriptions to measure."""
    concurrency: int
    """How many of them are sent at once."""
    clip_language: str = "en"
    """ISO-639-1 code of the clip's language."""
    default_language: str = "auto"
    """The server's own default (see RuntimeConfig.language)."""
    patience: float = PATIENCE_SECONDS
    """Seconds for which a busy server is waited for."""
    no_egress: bool = False
    """Whether the pods must reach nothing but DNS; only the metrics report it."""
    keeps_jobs: bool = False
    """Whether the server keeps jobs."""
    tells_speakers: bool = False
    """Whether the server tells speakers apart."""


def verify(options: VerifyOptions) -> VerifyReport:
    """Runs every check that `options` allow, until the server is busy for too long.

    Raises CannotVerify.
    """
    target = _target(options)
    checks, performance, busy = list[CheckResult](), None, None
    try:
        for outcome in _outcomes(options, target):
            if isinstance(outcome, CheckResult):
                checks.append(outcome)
            else:
                performance = outcome
    except ServerBusy as error:
        busy = str(error)
    requests = target.server.request_count + (target.metrics.request_count if target.metrics else 0)
    return VerifyReport(checks=tuple(checks), performance=performance, requests=requests, busy=busy)


def _outcomes(options: VerifyOptions, target: VerifyTarget) -> Iterator[CheckResult | Performance]:
    """Yields what is found as it is found, so that it is kept where the server turns busy. Raises ServerBusy."""
    yield from run_checks(functional.ALONE, target)
    yield from run_checks_together(functional.TOGETHER, target, AT_ONCE)
    if options.tells_speakers:
        yield from run_checks(speakers.CHECKS, target)
    answered, performance = measure(target, options.requests, options.concurrency)
    yield answered
    if performance is not None:
        yield performance
    if target.server.key is not None:
        yield from run_checks(security.WITH_KEY, target)
    yield from run_checks(security.CHECKS, target)
    if target.metrics is not None:
        yield from run_checks((*metrics_port.CHECKS, *(metrics_port.NO_EGRESS if options.no_egress else ())), target)
        if performance is not None:
            yield performance.model_copy(update=metrics_port.pod_facts(target))
    if options.keeps_jobs:  # last of all: a job may wait behind others for longer than all the rest takes
        yield from run_checks(jobs.CHECKS, target)


def table(report: VerifyReport) -> str:
    """Returns the report for people: a line for each check, then the measurement and the verdict."""
    width = max((len(check.name) for check in report.checks), default=0)
    lines = [
        f"{'ok    ' if check.passed else 'FAILED'}  {check.name:{width}}  {check.message}" for check in report.checks
    ]
    if (found := report.performance) is not None:
        lines.append(
            f"{found.requests} transcriptions, {found.concurrency} at once: p50 {found.p50_seconds} s, "
            f"p95 {found.p95_seconds} s, {found.realtime_factor} x real time"
        )
        lines += [f"{name}: {value}" for name, value in _pod_lines(found) if value is not None]
    failed = sum(not check.passed for check in report.checks)
    verdict = f"{failed} of {len(report.checks)} checks failed" if failed else f"all {len(report.checks)} checks passed"
    unfinished = f", and then {report.busy}" if report.busy else ""
    return "\n".join([*lines, f"{verdict}{unfinished}; {report.requests} requests spent"])


def _pod_lines(found: Performance) -> Iterator[tuple[str, object]]:
    """Yields each fact that a pod reported about itself, with its label."""
    yield "seconds from start to ready", found.load_seconds
    yield "runs on", found.device
    yield "runs in", found.compute_type
    yield "bytes of the GPU's memory", found.memory_bytes
    yield "processor", found.processor
    yield "speed in bfloat16, by float32's", found.bfloat16_speed


def _target(options: VerifyOptions) -> VerifyTarget:
    clip = Path(options.golden_dir) / "clip.wav"
    try:
        key = Path(options.api_key_file).read_text().strip() if options.api_key_file else None
        with wave.open(str(clip)) as recording:
            seconds = recording.getnframes() / recording.getframerate()
        return VerifyTarget(
            server=ServiceClient(options.url, key, TIMEOUT_SECONDS, options.patience),
            clip=clip.read_bytes(),
            words=(clip.parent / "clip.txt").read_text(),
            max_word_error_rate=options.max_word_error_rate,
            seconds=seconds,
            clip_language=options.clip_language,
            default_language=options.default_language,
            metrics=ServiceClient(options.metrics_url, None, TIMEOUT_SECONDS) if options.metrics_url else None,
        )
    except (OSError, EOFError, wave.Error) as error:
        raise CannotVerify(
            f"{error}: set WHISPER_GOLDEN_DIR to the directory of clip.wav and clip.txt, and --api-key-file to a file"
        ) from None
    except ValueError as error:
        raise CannotVerify(str(error)) from None
