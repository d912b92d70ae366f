"""What Prometheus reads of a front."""

from __future__ import annotations

from tests.fakes.front_servers import load_report
from whisper_runtime.contract import metric_names
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.metrics import FrontMetrics
from whisper_runtime.front.servers import RequestWork, ServerAddress
from whisper_runtime.front.turnstile import Turnstile


async def test_gauges_show_what_is_here_when_they_are_read() -> None:
    demand, turnstile = DemandCounter(), Turnstile()
    metrics = FrontMetrics(demand, lambda: 7, turnstile, lambda: 3)
    turnstile.note_load(ServerAddress("a", 1), load_report(free_rows=0, queued_audio_seconds=900.0), asked=0.0)
    with demand.request() as counted, turnstile.enter(RequestWork("client", 30.0)):
        counted.hold()
        counted.receive(5)
        values = [
            metrics.registry.get_sample_value(name)
            for name in (
                metric_names.FRONT_HELD_REQUESTS_METRIC,
                metric_names.FRONT_HELD_BYTES_METRIC,
                metric_names.FRONT_ACTIVE_REQUESTS_METRIC,
                metric_names.FRONT_SPOOL_BYTES_METRIC,
                metric_names.FRONT_SERVERS_METRIC,
                metric_names.FRONT_QUEUED_AUDIO_METRIC,
                metric_names.FRONT_HELD_AUDIO_METRIC,
                metric_names.FRONT_HELD_WAIT_METRIC,
            )
        ]
    assert values == [1, 5, 0, 7, 1, 900, 30, 3]


def test_what_is_turned_away_is_counted_by_its_cause() -> None:
    metrics = FrontMetrics(DemandCounter(), lambda: 0, Turnstile(), lambda: 0)
    for status, cause in ((200, None), (503, "no_server"), (400, "not_audio")):
        metrics.answered("/v1/models", status, cause)
    counted = metrics.registry.get_sample_value
    assert [counted("whisper_front_requests_total", {"status": status}) for status in ("200", "400", "503")] == [
        1,
        1,
        1,
    ]
    assert counted("whisper_front_rejections_total", {"cause": "no_server"}) == 1
    assert counted("whisper_front_rejections_total", {"cause": "not_audio"}) is None


def test_each_name_is_the_fronts_own() -> None:
    metrics = FrontMetrics(DemandCounter(), lambda: 0, Turnstile(), lambda: 0)
    assert {family.name.startswith("whisper_front_") for family in metrics.registry.collect()} == {True}
