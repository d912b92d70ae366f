"""Whether a pod's spec can be read by the decisions about its node."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.resolve.pod_shape import is_well_formed

CONTAINER = {"name": "server", "resources": {"requests": {"cpu": "1", "memory": 1024}, "limits": {"cpu": 0.5}}}


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": []},
        {"containers": [CONTAINER], "unknown": 1},
        {"containers": [], "affinity": {"podAffinity": "not read"}},
        {"containers": [], "tolerations": [{"operator": "Exists"}], "nodeSelector": {"zone": "a"}},
    ],
)
def test_a_spec_that_can_be_read(spec: dict[str, Any]) -> None:
    assert is_well_formed(spec)


@pytest.mark.parametrize(
    "spec",
    [
        None,
        "no object",
        {},
        {"containers": "no list"},
        {"containers": [{"resources": {"requests": {"cpu": "much"}}}]},
        {"containers": [{"resources": {"requests": {"cpu": True}}}]},
        {"containers": [{"name": {}}]},
        {"containers": [], "priorityClassName": {}},
        {"containers": [], "nodeSelector": {"zone": 1}},
        {"containers": [], "tolerations": ["no object"]},
        {"containers": [], "affinity": {"nodeAffinity": "x"}},
    ],
)
def test_a_spec_that_no_api_server_takes(spec: Any) -> None:
    assert not is_well_formed(spec)
