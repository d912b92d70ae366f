"""The requests of pods, summed by node while the pages of a list stream by."""

from __future__ import annotations

from decimal import Decimal

from whisper_operator.observe.pod_requests import add_requests

CONTAINER = {"resources": {"requests": {"nvidia.com/gpu": "1", "cpu": "500m"}}}
INIT = {"resources": {"requests": {"cpu": "2"}}}
RUNNING = {"spec": {"nodeName": "a", "containers": [CONTAINER], "initContainers": [INIT]}, "status": {}}


def test_what_pods_hold_is_counted_by_node() -> None:
    ended = {**RUNNING, "status": {"phase": "Succeeded"}}
    pending = {"spec": {"containers": [CONTAINER]}, "status": {}}
    total: dict[str, dict[str, Decimal]] = {}
    add_requests(total, [RUNNING, ended, pending])
    assert total == {"a": {"nvidia.com/gpu": 1, "cpu": 2}}


def test_a_later_page_is_added() -> None:
    total: dict[str, dict[str, Decimal]] = {}
    for _ in range(2):
        add_requests(total, [RUNNING])
    assert total == {"a": {"nvidia.com/gpu": 2, "cpu": 4}}
