"""The ServiceMonitor."""

from __future__ import annotations

from tests.operator.samples import kinds, observed, service
from whisper_operator.objects.kinds import CHILD_KINDS, SERVICE_MONITOR
from whisper_operator.observe.installation import Installation

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def test_a_service_monitor_only_where_its_api_is() -> None:
    wanted = service(monitoring={"serviceMonitor": {}}, **EMPTY_DIR)
    assert "ServiceMonitor" in kinds(wanted, observed())
    without = Installation("runtime:1", frozenset(CHILD_KINDS) - {SERVICE_MONITOR})
    assert "ServiceMonitor" not in kinds(wanted, observed(), without)
