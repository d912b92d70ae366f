"""What somebody edited is taken back by a patch, and what others added stays."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.objects.restore import JsonValue, keeping, merged, restored

WANTED: Any = {"spec": {"hostIPC": False, "containers": [{"name": "server", "env": [{"name": "A", "value": "1"}]}]}}
SIDECAR: Any = {"name": "sidecar"}


def test_what_was_edited_is_taken_back_and_what_others_added_stays() -> None:
    """Given a renamed container, a changed variable, a sidecar of a policy's, and a field that nobody set."""
    server = {"name": "server", "env": [{"name": "A", "value": "2"}, {"name": "B"}, {"name": "C"}], "default": 1}
    live = {"spec": {"containers": [server, {"name": "server2"}, SIDECAR], "hostNetwork": True}}
    edits = {
        "spec.containers[server2]",
        "spec.containers[server].env[A].value",
        "spec.containers[server].env[B]",
        "spec.hostNetwork",
    }
    found: Any = restored(WANTED, live, edits)
    assert found["spec"]["containers"] == [
        {"name": "server", "env": [{"name": "A", "value": "1"}, {"name": "C"}]},
        SIDECAR,
    ]
    assert found["spec"]["hostNetwork"] is None, "a merge patch removes it"
    assert restored({"ports": [{"port": 80}]}, {"ports": [{"port": 81}]}, {"ports[81 TCP]"}) == {
        "ports": [{"port": 80}]
    }
    untouched: Any = restored(WANTED, {"spec": {"containers": [server]}}, {"spec.hostNetwork"})
    assert untouched["spec"]["containers"] == [server]


def test_an_edited_item_keeps_what_a_policy_and_the_api_server_added_to_it() -> None:
    """Given a container with an edited variable, an edited hook, and a policy's field, and its probe's default."""
    wanted: Any = {"containers": [{"name": "server", "args": ["a"], "probe": {"path": "/"}, "env": [{"name": "A"}]}]}
    server = {"name": "server", "args": ["b"], "lifecycle": {}, "user": 1000, "probe": {"path": "/", "scheme": "HTTP"}}
    live: Any = {"containers": [{**server, "env": [{"name": "A", "default": 1}, {"name": "B"}]}, SIDECAR]}
    edits = {"containers[server].args", "containers[server].lifecycle", "containers[server].env[B]"}
    kept: Any = keeping(live, restored(wanted, live, edits))
    assert kept["containers"] == [
        {
            **{"name": "server", "args": ["a"], "user": 1000, "probe": {"path": "/", "scheme": "HTTP"}},
            "env": [{"name": "A", "default": 1}],
        },
        SIDECAR,
    ]


def test_an_item_that_was_lost_comes_as_it_is_wanted() -> None:
    found: Any = keeping({"containers": [SIDECAR]}, restored(WANTED["spec"], {"containers": [SIDECAR]}, set()))
    assert found["containers"] == [SIDECAR, *WANTED["spec"]["containers"]]


@pytest.mark.parametrize(
    ("live", "patch", "after"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        (None, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ],
)
def test_a_merge_patch_does_what_its_standard_says(live: JsonValue, patch: JsonValue, after: JsonValue) -> None:
    """Source: https://www.rfc-editor.org/rfc/rfc7396#appendix-A"""
    assert merged(live, patch) == after
