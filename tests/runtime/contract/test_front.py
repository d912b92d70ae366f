"""What a pod of the front reports to the operator."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whisper_runtime.contract.front import DemandReport

REPORT = '{"heldRequests":2,"heldBytes":7,"activeRequests":1,"idleSeconds":0.5}'


def test_a_report_is_json_in_the_words_of_the_contract() -> None:
    found = DemandReport(held_requests=2, held_bytes=7, active_requests=1, idle_seconds=0.5)
    assert found.model_dump_json(by_alias=True) == REPORT
    assert DemandReport.model_validate_json(REPORT) == found


@pytest.mark.parametrize("field", ["heldRequests", "heldBytes", "activeRequests", "idleSeconds"])
def test_no_number_is_below_nothing(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        DemandReport.model_validate({**DemandReport.model_validate_json(REPORT).model_dump(by_alias=True), field: -1})
