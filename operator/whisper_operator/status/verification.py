"""The parts of the status that the verification of a rollout fills: its checks, and what it measured. Pure."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.status import PerformanceStatus, VerificationCheck, VerificationStatus
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.reports import VerifyReport


def verification_status(resolved: Resolved) -> VerificationStatus | None:
    """The last report, or as status had it before its pod went; None where verification is off."""
    if not resolved.verification.is_on:
        return None
    service, report, before = resolved.service, resolved.verification.report, resolved.service.status.verification
    if report is None or report.busy:
        return before
    checks = tuple(VerificationCheck(name=one.name, passed=one.passed, message=one.message) for one in report.checks)
    is_same = before is not None and before.checks == checks and not _was_verifying(service)
    generation = before.generation if before is not None and is_same else service.metadata.generation
    passed_last = _passed_last(before, report, generation)
    return VerificationStatus(generation=generation, passed=report.passed, passed_generation=passed_last, checks=checks)


def _passed_last(before: VerificationStatus | None, report: VerifyReport, generation: int | None) -> int | None:
    """The generation that passed last: that of this report, or as status had it before."""
    if report.passed:
        return generation
    return (before.passed_generation or (before.generation if before.passed else None)) if before else None


def performance_status(resolved: Resolved) -> PerformanceStatus | None:
    """The measurements of the last report; a device that it lacks is the one that ready pods have to use.

    None where verification is off.
    """
    if not resolved.verification.is_on:
        return None
    spec, report = resolved.service.spec, resolved.verification.report
    if report is None or report.performance is None:
        return resolved.service.status.performance
    measured = report.performance
    device = ("cuda" if spec.gpu else "cpu") if spec.device == "auto" else spec.device
    precision = "float16" if device == "cuda" else "float32"
    return PerformanceStatus(
        load_seconds=measured.load_seconds,
        realtime_factor=measured.realtime_factor,
        p95_seconds=measured.p95_seconds,
        device=measured.device or device,
        compute_type=measured.compute_type or (precision if spec.compute_type == "auto" else spec.compute_type),
        memory_bytes=measured.memory_bytes,
        processor=measured.processor,
        bfloat16_speed=measured.bfloat16_speed,
    )


def _was_verifying(service: WhisperService) -> bool:
    """Whether the last status still waited for a report."""
    return any(one.type == c.VERIFIED and one.status == "Unknown" for one in service.status.conditions)
