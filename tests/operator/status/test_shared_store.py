"""What the condition says of the store that the pods share: what is wrong for one pod, and what to do."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.operator.samples import observed, resolved, service
from whisper_operator.api.conditions import REASONS, ConditionUpdate
from whisper_operator.status.shared_store import store_usable
from whisper_runtime.contract.shared_store import SharedStoreReport, StoreReason

REDIS = {"redis": {"secretKeyRef": {"name": "valkey", "key": "url"}}}
WELL = SharedStoreReport(reason="StoreInUse")
LOST = SharedStoreReport(reason="StoreUnreachable", message="the store at valkey:6379 cannot be reached: no route")
EVICTS = SharedStoreReport(reason="StoreEvicts", message="the store at valkey:6379 forgets")
UNTRIED = SharedStoreReport(reason="StoreUntried")


def judged(reports: dict[str, SharedStoreReport | None], **spec: object) -> ConditionUpdate:
    found = store_usable(resolved(service(**REDIS, **spec), observed(store_reports=reports)))
    assert found is not None
    assert found.type == "StoreUsable"
    return found


def test_a_service_without_a_store_has_no_condition_of_it_nor_has_one_without_pods() -> None:
    assert store_usable(resolved(service())) is None
    assert store_usable(resolved(service(**REDIS, suspend=True))) is None


@pytest.mark.parametrize(
    "reports", [{"a": WELL}, {"a": WELL, "b": WELL}, {"a": WELL, "b": None}, {"a": UNTRIED, "b": WELL}]
)
def test_it_is_true_where_all_that_answer_use_it(reports: dict[str, SharedStoreReport | None]) -> None:
    assert (judged(reports).status, judged(reports).reason) == ("True", "StoreInUse")


def test_one_pod_that_cannot_use_it_is_named_with_the_remedy() -> None:
    found = judged({"a": WELL, "b": LOST})
    assert (found.status, found.reason) == ("False", "StoreUnreachable")
    assert found.message == (
        "Pod/b: the store at valkey:6379 cannot be reached: no route: limits count for each such pod alone"
    )


def test_a_store_that_forgets_is_used_all_the_same() -> None:
    found = judged({"a": EVICTS})
    assert (found.status, found.reason) == ("False", "StoreEvicts")
    assert found.message == "Pod/a: the store at valkey:6379 forgets"


@pytest.mark.parametrize("reports", [{}, {"a": None}, {"a": UNTRIED}])
def test_without_a_report_nothing_is_known(reports: dict[str, SharedStoreReport | None]) -> None:
    found = judged(reports)
    assert (found.status, found.reason) == ("Unknown", "StoreNotReported")
    assert "metricsFrom" in found.message


def test_every_reason_of_a_pod_is_explained() -> None:
    assert set(get_args(StoreReason)) - {"StoreUntried"} <= set(REASONS)
