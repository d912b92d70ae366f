"""What pods log is read pod after pod, or followed, and shown as text that does nothing to a terminal."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.upkeep.logs import (
    LONGEST_LINE,
    MOST_CONTAINERS,
    LogRequest,
    LogSource,
    parameters,
    read_logs,
    sources,
)

from tests.plugin.conftest import PlannedServer, as_json, as_list, as_text

RUNNING = {"running": {}}
WAITING = {"waiting": {"reason": "ContainerCreating"}}
ALL = LogRequest("speech", "", 100)


def pod(name: str, *containers: str, state: dict[str, Any] = RUNNING, restarts: int = 0) -> dict[str, Any]:
    statuses = [{"name": one, "state": state, "restartCount": restarts} for one in containers]
    metadata = {"namespace": "team", "name": name, "uid": f"uid-of-{name}"}
    return {"metadata": metadata, "status": {"containerStatuses": statuses}}


def test_each_container_of_each_pod_one_after_the_other(api_server: PlannedServer) -> None:
    api_server.by_path = {
        "/pods?": as_list(pod("speech-1", "server", "proxy"), pod("speech-2", "server")),
        "speech-1/log?container=server": as_text("first\nsecond\n"),
        "speech-1/log?container=proxy": as_json({"message": "no such container"}, 400),
        "speech-2/log": as_text("third\n"),
    }
    found = list(read_logs(KubeApi(None, None), ALL))
    assert [(one.source.pod, one.source.container, one.text, one.is_notice) for one in found] == [
        ("speech-1", "server", "first", False),
        ("speech-1", "server", "second", False),
        ("speech-1", "proxy", "400: no such container", True),
        ("speech-2", "server", "third", False),
    ]
    assert "labelSelector=whisper-operator.io%2Fservice%3Dspeech&" in api_server.requests[0][0]


def test_those_of_one_component(api_server: PlannedServer) -> None:
    api_server.answers = [as_list()]
    with pytest.raises(Failure, match="speech has no pod of component front"):
        list(read_logs(KubeApi(None, None), LogRequest("speech", "front", 100)))
    assert "component%3Dfront" in api_server.requests[0][0]


def test_what_is_read_is_bounded() -> None:
    source = LogSource("speech-1", "uid", "server", 0)
    asked = parameters(ALL, source)
    assert asked == {"container": "server", "tailLines": "100", "limitBytes": "16777216"}
    assert parameters(LogRequest("speech", "", 5, previous=True), source)["previous"] == "true"


def test_more_containers_than_are_read_are_named(api_server: PlannedServer) -> None:
    names = [f"c{number}" for number in range(MOST_CONTAINERS + 1)]
    api_server.by_path = {"/pods?": as_list(pod("speech-1", *names)), "/log": as_text("line\n")}
    *lines, last = read_logs(KubeApi(None, None), ALL)
    assert len(lines) == MOST_CONTAINERS
    assert (last.is_notice, last.text) == (True, f"not read: {MOST_CONTAINERS} containers are read at most")


def test_a_line_does_nothing_to_a_terminal(api_server: PlannedServer) -> None:
    api_server.by_path = {
        "/pods?": as_list(pod("speech-1", "server")),
        "/log": as_text("a\tb\x1b]0;title\x07\x9bm\n" + "x" * 2 * LONGEST_LINE),
    }
    first, second = read_logs(KubeApi(None, None), ALL)
    assert first.text == "a\tb\N{REPLACEMENT CHARACTER}]0;title" + "\N{REPLACEMENT CHARACTER}" * 2 + "m"
    assert len(second.text) == LONGEST_LINE


def test_a_log_that_ends_early_says_so(api_server: PlannedServer) -> None:
    log = as_text("first\n")
    log.is_cut = True
    api_server.by_path = {"/pods?": as_list(pod("speech-1", "server")), "/log": log}
    first, second = read_logs(KubeApi(None, None), ALL)
    assert (first.text, first.is_notice, second.is_notice) == ("first", False, True)
    assert second.text.startswith("its log ended early: ")


def test_containers_that_have_not_started_have_no_log() -> None:
    assert sources(iter([pod("speech-1", "server", state=WAITING)])) == []
    (again,) = sources(iter([pod("speech-1", "server", state=WAITING, restarts=3)]))
    assert again.run == 3


def test_lines_go_on_coming_those_of_new_pods_included(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those of a container that was started again, once for each run."""
    monkeypatch.setattr("kubectl_whisper.upkeep.logs.LOOK_SECONDS", 0.01)
    api_server.by_path = {"speech-1/log": as_text("one\n"), "speech-2/log": as_text("two\n")}
    api_server.answers = [
        as_list(pod("speech-1", "server")),
        *[as_list(pod("speech-1", "server"), pod("speech-2", "server"))] * 2,
        *[as_list(pod("speech-1", "server", restarts=1), pod("speech-2", "server"))] * 1000,
    ]
    lines = list(islice(read_logs(KubeApi(None, None), LogRequest("speech", "", 10, follow=True)), 3))
    assert sorted((one.source.pod, one.source.run, one.text) for one in lines) == [
        ("speech-1", 0, "one"),
        ("speech-1", 1, "one"),
        ("speech-2", 0, "two"),
    ]
    asked = [path for path, *_ in api_server.requests if "/log" in path]
    assert all("follow=true" in path and "limitBytes" not in path for path in asked)


def test_a_container_that_cannot_be_followed_is_told(api_server: PlannedServer) -> None:
    refused = as_json({"message": "pods/log is forbidden"}, 403)
    api_server.by_path = {"/pods?": as_list(pod("speech-1", "server")), "/log": refused}
    line = next(read_logs(KubeApi(None, None), LogRequest("speech", "", 10, follow=True)))
    assert (line.text, line.is_notice) == ("403: pods/log is forbidden", True)
