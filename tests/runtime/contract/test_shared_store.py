"""A pod's report on the store says whether the pod counts there, and fits into a condition."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from whisper_runtime.contract.shared_store import MESSAGE_LENGTH, SharedStoreReport, StoreReason


@pytest.mark.parametrize("reason", get_args(StoreReason))
def test_a_pod_counts_in_a_store_that_is_well_or_fails_in_something_else(reason: StoreReason) -> None:
    used = {
        "StoreInUse",
        "StoreEvicts",
        "StoreNotDurable",
        "StoreNotReplicated",
        "StoreLostJobs",
        "StoreBucketUnusable",
    }
    assert SharedStoreReport(reason=reason).is_used is (reason in used)


def test_the_operator_reads_what_the_pod_writes() -> None:
    written = SharedStoreReport(reason="StoreFull", message="the store at valkey:6379 has no memory left")
    assert written.model_dump() == {"reason": written.reason, "message": written.message}
    assert SharedStoreReport.model_validate_json(written.model_dump_json()) == written


def test_a_message_of_the_greatest_length_is_a_report() -> None:
    assert SharedStoreReport(reason="StoreFull", message="x" * MESSAGE_LENGTH).message == "x" * MESSAGE_LENGTH


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "reason"),
        ({"reason": "NoStore"}, "reason"),
        ({"reason": "StoreFull", "message": "x" * (MESSAGE_LENGTH + 1)}, "message"),
    ],
)
def test_what_is_no_report(content: dict[str, Any], field: str) -> None:
    """The operator takes none of it into a condition, whatever answers at a pod's address."""
    with pytest.raises(ValidationError) as wrong:
        SharedStoreReport.model_validate(content)
    assert [error["loc"] for error in wrong.value.errors()] == [(field,)]
