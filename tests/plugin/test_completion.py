"""What may follow on a command line, as kubectl asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from kubectl_whisper.completion import choices, main

from tests.plugin.conftest import PlannedServer, as_json, as_list

SERVICES = as_list(*({"metadata": {"name": name}} for name in ("meetings", "memos", "calls")))


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What the variables that Typer reads were before."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def words(found: list[str]) -> list[str]:
    return [line.partition("\t")[0] for line in found]


def test_commands_with_what_they_do() -> None:
    found = choices([""])
    assert {"status", "logs", "support-bundle"} <= set(words(found))
    assert all("\t" in line for line in found)
    assert words(choices(["st"])) == ["status"]


def test_options_and_their_values() -> None:
    assert {"--all-namespaces", "--output"} <= set(words(choices(["status", "--"])))
    assert words(choices(["status", "-o", ""])) == ["table", "json", "yaml"]
    assert words(choices(["logs", "--component", "f"])) == ["front"]


def test_services_of_the_namespace(api_server: PlannedServer) -> None:
    api_server.by_path = {"/namespaces/others/whisperservices": SERVICES}
    assert words(choices(["verify", "-n", "others", "me"])) == ["meetings", "memos"]
    assert words(choices(["bench", "-n", "others", "x.wav", "--service", "c"])) == ["calls"]


def test_where_a_command_may_look(api_server: PlannedServer) -> None:
    api_server.by_path = {"/api/v1/namespaces?": SERVICES}
    assert words(choices(["top", "-n", "m"])) == ["meetings", "memos"]
    assert words(choices(["top", "--context", "n"])) == ["near"]


def test_reasons_and_conditions() -> None:
    assert "HostTaken" in words(choices(["explain", "Host"]))
    assert words(choices(["explain", "Stall"])) == ["Stalled"]


def test_a_cluster_that_does_not_answer_has_no_choices(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({"message": "forbidden"}, 403)]
    assert choices(["status", "me"]) == []


@pytest.mark.parametrize(
    ("typed", "last"), [(("st",), ":4"), (("transcribe", ""), ":0"), (("transcribe", "a b"), ":0")]
)
def test_the_directive_comes_last(
    typed: tuple[str, ...], last: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files are the shell's to find."""
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-whisper", *typed])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == last
    assert (len(lines) > 1) is (last == ":4")
