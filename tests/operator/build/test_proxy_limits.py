"""What a proxy before a service must allow."""

from __future__ import annotations

import pytest

from tests.operator.samples import service
from whisper_operator.build.proxy_limits import ProxyLimits, proxy_limits


def test_it_waits_longer_than_the_server_for_the_work_and_for_upload_and_work() -> None:
    wanted = service(server={"requestTimeout": "1m", "maxUploadSize": "1Ki"})
    assert proxy_limits(wanted) == ProxyLimits(75, 135, 1024, "/healthz")


@pytest.mark.parametrize(
    ("path", "health"), [("/", "/healthz"), ("/speech", "/speech/healthz"), ("/speech/", "/speech/healthz")]
)
def test_health_is_below_the_base_path(path: str, health: str) -> None:
    assert proxy_limits(service(ingress={"path": path})).health_path == health
