"""What Prometheus reads of a store of batches."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from whisper_runtime.service.batches.batch import LIVE_BATCH
from whisper_runtime.service.batches.collector import BatchCollector


def test_states_and_outcomes_begin_at_0_so_that_the_first_increase_is_seen() -> None:
    found = CollectorRegistry()
    found.register(BatchCollector(dict, {}))
    assert {found.get_sample_value("whisper_batches", {"state": state}) for state in LIVE_BATCH} == {0}
    for outcome in ("completed", "failed"):
        assert found.get_sample_value("whisper_batch_lines_total", {"outcome": outcome}) == 0


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("whisper_batches", {"state": "in_progress"}, 2),
        ("whisper_batch_lines_total", {"outcome": "completed"}, 5),
        ("whisper_batch_lines_total", {"outcome": "failed"}, 1),
    ],
)
def test_each_number_is_a_metric(name: str, labels: dict[str, str], value: float) -> None:
    found = CollectorRegistry()
    found.register(BatchCollector(lambda: {"in_progress": 2}, {"completed": 5, "failed": 1}))
    assert found.get_sample_value(name, labels) == value
