"""Reports fit a termination message, and lose their least important parts first."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT
from whisper_runtime.contract.reports import CheckResult, FetchProgress, FetchReport, VerifyReport


@pytest.mark.parametrize(("message", "count"), [("x" * 9000, 0), ("ü" * 3000, 20), ("x", 20), ("x" * 3000, 20)])
def test_a_fetch_report_always_fits_a_termination_message(message: str, count: int) -> None:
    files = {f"{'m' * 63}-{number:012}.pt": 1 << 40 for number in range(count)}
    found = FetchReport(model="mine", reason="NoSpace", message=message, files=files).to_json()
    assert len(found.encode()) <= TERMINATION_MESSAGE_LIMIT
    assert FetchReport.model_validate_json(found).reason == "NoSpace"


@pytest.mark.parametrize(
    ("done", "total", "speed", "left"),
    [(300, 1000, 100, 7), (300, None, 100, None), (300, 1000, None, None), (9, 9, 1, 0)],
)
def test_the_time_that_is_left(done: int, total: int | None, speed: int | None, left: int | None) -> None:
    assert FetchProgress(model="base", bytes=done, total=total, bytes_per_second=speed).seconds_left == left


def outcomes(report: VerifyReport, passed: bool) -> set[str]:
    return {check.name for check in report.checks if check.passed == passed}


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("length", [0, 10, 300, 100_000])
def test_a_verify_report_always_fits_a_termination_message(passed: bool, length: int) -> None:
    checks = tuple(CheckResult(name=f"check-{number}", passed=passed, message="ü" * length) for number in range(30))
    found = VerifyReport(checks=checks, requests=1).to_json()
    assert len(found.encode()) <= TERMINATION_MESSAGE_LIMIT
    assert outcomes(VerifyReport.model_validate_json(found), passed) == {check.name for check in checks}


def test_the_messages_of_failed_checks_are_cut_last() -> None:
    good = tuple(CheckResult(name=f"good-{number}", passed=True, message="fine" * 25) for number in range(30))
    bad = CheckResult(name="bad", passed=False, message="x" * 300)
    assert VerifyReport.model_validate_json(VerifyReport(checks=(*good, bad), requests=1).to_json()).checks[-1] == bad


def test_each_check_of_a_report_has_a_name_of_its_own() -> None:
    twice = (CheckResult(name="metrics", passed=True), CheckResult(name="metrics", passed=False))
    with pytest.raises(ValidationError, match="two checks have the same name"):
        VerifyReport(checks=twice, requests=1)
