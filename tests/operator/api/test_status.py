"""The status: what a pass writes, and what of an earlier operator's or a newer one's is read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import letters, manifest, problem
from whisper_operator.api.status import (
    Condition,
    ModelProgress,
    ModelStatus,
    PerformanceStatus,
    PreflightCheck,
    RolloutStatus,
    Status,
    VerificationCheck,
    VerificationStatus,
)

READY = {"type": "Ready", "status": "True", "reason": "AsSpecified"}


def test_a_new_service_has_an_empty_status() -> None:
    assert {name: value for name, value in manifest(Status()).items() if value is not None} == {
        "conditions": [],
        "preflight": [],
    }


@pytest.mark.parametrize(
    "part",
    [ModelStatus(), RolloutStatus(), PerformanceStatus(), VerificationStatus(checks=())],
    ids=lambda part: type(part).__name__,
)
def test_nothing_of_a_part_is_known_before_it_is_observed(part: Any) -> None:
    assert {value for name, value in manifest(part).items() if name != "checks"} == {None}


@pytest.mark.parametrize(
    ("part", "optional"),
    [
        (Condition(type="Ready", status="True", reason="AsSpecified"),
         {"message": "", "observedGeneration": None, "lastTransitionTime": None}),
        (ModelProgress(bytes=7), {"total": None, "bytesPerSecond": None, "secondsLeft": None}),
        (VerificationCheck(name="metrics", passed=True), {"message": ""}),
        (PreflightCheck(name="api keys"), {"passed": None, "message": ""}),
        (VerificationStatus(), {"generation": None, "passed": None, "checks": []}),
    ],
    ids=lambda part: type(part).__name__,
)  # fmt: skip
def test_a_part_may_leave_this_out(part: Any, optional: dict[str, Any]) -> None:
    assert manifest(part).items() >= optional.items()


@pytest.mark.parametrize(
    ("of", "body", "missing"),
    [
        (Condition, {}, "type: Field required; status: Field required; reason: Field required"),
        (ModelProgress, {}, "bytes: Field required"),
        (VerificationCheck, {}, "name: Field required; passed: Field required"),
        (PreflightCheck, {}, "name: Field required"),
    ],
)
def test_a_part_needs_the_rest(of: Any, body: dict[str, Any], missing: str) -> None:
    assert problem(of, body) == missing


@pytest.mark.parametrize("status", ["True", "False", "Unknown"])
def test_a_condition_is_true_false_or_unknown(status: str) -> None:
    assert Condition.model_validate(READY | {"status": status}).status == status


@pytest.mark.parametrize("status", ["true", "", True])
def test_a_condition_of_another_status_is_refused(status: Any) -> None:
    assert problem(Condition, READY | {"status": status}) == "status: Input should be 'True', 'False' or 'Unknown'"


def test_what_a_newer_operator_wrote_is_read_without_the_fields_of_its_own() -> None:
    newer = {
        "url": "https://speech.example.com",
        "observedGeneration": 3,
        "conditions": [READY | {"newer": 1}],
        "model": {"name": "base", "progress": {"bytes": 1, "newer": 1}, "newer": {}},
        "newer": [],
    }
    status = Status.model_validate(newer)
    assert (status.url, status.observed_generation) == ("https://speech.example.com", 3)
    assert status.conditions == (Condition(type="Ready", status="True", reason="AsSpecified"),)
    assert status.model == ModelStatus(name="base", progress=ModelProgress(bytes=1))


def conditions(count: int) -> list[dict[str, Any]]:
    return [READY | {"type": f"Condition{number}"} for number in range(count)]


def checks(count: int) -> list[dict[str, Any]]:
    return [{"name": f"check {number}", "passed": True} for number in range(count)]


@pytest.mark.parametrize(
    ("of", "field", "longest", "items"),
    [
        (Status, "conditions", 32, conditions),
        (Status, "preflight", 32, checks),
        (VerificationStatus, "checks", 64, checks),
    ],
)
def test_a_list_has_a_greatest_length(of: Any, field: str, longest: int, items: Any) -> None:
    assert len(manifest(of.model_validate({field: items(longest)}))[field]) == longest
    assert problem(of, {field: items(longest + 1)}).startswith(f"{field}: Tuple should have at most {longest} items")


def test_a_message_has_a_greatest_length() -> None:
    assert len(Condition.model_validate(READY | {"message": letters(32768)}).message) == 32768
    assert problem(Condition, READY | {"message": letters(32769)}) == (
        "message: String should have at most 32768 characters"
    )


def test_a_type_of_condition_occurs_once() -> None:
    assert problem(Status, {"conditions": [READY, READY | {"status": "False"}]}) == (
        "conditions: type Ready occurs more than once: remove the duplicates"
    )


@pytest.mark.parametrize(
    "field",
    [
        {"type": "not a type"},
        {"type": "a" * 317},
        {"reason": ""},
        {"reason": "two words"},
        {"reason": "Ends:"},
        {"reason": "a" * 1025},
        {"observedGeneration": -1},
    ],
    ids=str,
)
def test_a_condition_is_bounded_as_kubernetes_own(field: dict[str, Any]) -> None:
    assert problem(Condition, READY | field).startswith(next(iter(field)))


@pytest.mark.parametrize(("of", "field"), [(Status, "preflight"), (VerificationStatus, "checks")])
def test_a_check_occurs_once(of: Any, field: str) -> None:
    assert problem(of, {field: [*checks(1), *checks(1)]}) == (
        f"{field}: name check 0 occurs more than once: remove the duplicates"
    )
