"""The series of one service in PromQL."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.build.series import series_of


def test_a_series_is_selected_by_namespace_and_metrics_service() -> None:
    series = series_of(service())
    assert series.of("up") == 'up{namespace="team",service="speech-metrics"}'
    assert series.of("up", 'status="429"') == 'up{namespace="team",service="speech-metrics",status="429"}'
