"""Every condition type and reason that a status can have is declared with its meaning and remedy."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from whisper_operator import api
from whisper_operator.api import conditions
from whisper_operator.api.conditions import CONDITION_TYPES, REASONS
from whisper_operator.api.external_reasons import ALL_REASONS, EXTERNAL_REASONS, STALLING
from whisper_operator.api.registry import ConditionReason, declare_reason, declare_type
from whisper_operator.observe import pod_status
from whisper_runtime.contract import reports

OPERATOR = Path(api.__file__).parents[1]
SUCCEEDED = {reports.FETCHED, reports.ALREADY_CACHED}


def constants(module: object) -> set[str]:
    return {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def test_every_constant_of_conditions_is_declared() -> None:
    assert constants(conditions) <= CONDITION_TYPES.keys() | REASONS.keys()


def test_every_cause_that_a_fetch_reports_is_declared() -> None:
    assert constants(reports) - SUCCEEDED <= ALL_REASONS.keys()


def test_every_warning_of_the_kubelet_that_is_taken_over_is_declared() -> None:
    assert ALL_REASONS.keys() >= pod_status.TELLING


@pytest.mark.parametrize("file", sorted(OPERATOR.rglob("*.py")), ids=lambda file: str(file.relative_to(OPERATOR)))
def test_no_condition_is_built_with_a_reason_that_is_not_a_constant(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("ConditionUpdate", "Finding")
        ):
            before_message = node.args[:3] if node.func.id == "ConditionUpdate" else node.args[:1]
            literal = [arg.value for arg in before_message if isinstance(arg, ast.Constant)]
            assert [value for value in literal if value not in ("True", "False", "Unknown")] == [], node.lineno


@pytest.mark.parametrize("one", ALL_REASONS.values(), ids=lambda one: one.name)
def test_a_reason_has_types_a_meaning_and_where_a_user_must_help_a_remedy(one: ConditionReason) -> None:
    assert one.types
    assert set(one.types) <= CONDITION_TYPES.keys()
    assert one.meaning.endswith(".")
    assert one.remedy.endswith(".") if one.remedy else not one.stalls


def test_the_reasons_that_stall_are_those_that_wait_for_the_user() -> None:
    assert {"InvalidSpec", "NotOwned", "Rejected", "SecretNotFound", "ChecksumMismatch"} <= STALLING
    assert not STALLING & {"AsSpecified", "Unschedulable", "DownloadFailed", "TlsSecretInvalid"}


def test_ready_rests_on_pods_that_serve_and_on_their_proof() -> None:
    assert {one.name for one in CONDITION_TYPES.values() if one.blocks_ready} == {"Available", "Verified"}


def test_a_name_is_declared_once() -> None:
    assert len(ALL_REASONS) == len(REASONS) + len(EXTERNAL_REASONS)
    with pytest.raises(ValueError, match="condition type Ready is declared twice"):
        declare_type("Ready", "Again.")
    with pytest.raises(ValueError, match="reason OOMKilled is declared twice"):
        declare_reason("OOMKilled", conditions.AVAILABLE, meaning="Again.")
