"""A Job that a sidecar outlives is ended, and keeps its report."""

from __future__ import annotations

from typing import Any

from whisper_operator.build.ended_job import ended
from whisper_runtime.contract.reports import FetchReport

REPORT = FetchReport(model="base", reason="Fetched", message="base was fetched", digest="ab")
WANTED: dict[str, Any] = {
    "kind": "Job",
    "metadata": {"name": "fetch", "annotations": {"whisper-operator.io/applied": "1"}},
    "spec": {"backoffLimit": 1, "template": {"spec": {"containers": []}}},
}
LIVE = {**WANTED, "spec": {"template": {"spec": {"containers": [], "tolerations": [{"operator": "Exists"}]}}}}


def test_one_that_ends_by_itself_is_as_it_is_wanted() -> None:
    assert ended(WANTED, LIVE, None) == WANTED
    assert ended(WANTED, None, REPORT) == WANTED


def test_it_is_suspended_with_its_report_and_the_template_that_it_has() -> None:
    found = ended(WANTED, LIVE, REPORT)
    assert found["spec"] == {"backoffLimit": 1, "suspend": True, "template": LIVE["spec"]["template"]}
    annotations = found["metadata"]["annotations"]
    assert FetchReport.model_validate_json(annotations["whisper-operator.io/report"]) == REPORT
    assert annotations["whisper-operator.io/applied"] == "1"
