"""The alerts of a service whose pods share a store; their expressions run in tests/chart/test_store_alerts.py."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.build.alerts import alerts
from whisper_operator.build.series import series_of
from whisper_operator.build.store_alerts import store_alerts


def test_a_service_without_a_store_has_none_of_them() -> None:
    of_store = {one.name for one in store_alerts(series_of(service()))}
    assert of_store
    assert of_store & {one.name for one in alerts(service())} == set()
    assert of_store <= {one.name for one in alerts(service(redis={"secretKeyRef": {"name": "store", "key": "url"}}))}
