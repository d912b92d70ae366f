"""What every alert of a service has, so that a person can be called by it."""

from __future__ import annotations

import re

from tests.operator.samples import service
from whisper_operator.build.alerts import alerts

SEVERITIES = {"critical", "warning", "info"}


def test_each_alert_has_a_name_of_its_own_a_severity_a_duration_and_a_remedy() -> None:
    found = alerts(service(jobs={}))
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert one.severity in SEVERITIES, one.name
        assert re.fullmatch(r"[0-9]+[smh]", one.lasting), one.name
        assert one.summary, one.name
        assert one.description.endswith("."), one.name
