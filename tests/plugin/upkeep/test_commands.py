"""The commands of whoever looks after services, as a user types them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import PlannedServer, as_json, as_list, as_text, run

SERVICE = {
    "metadata": {"namespace": "team", "name": "speech"},
    "spec": {"verification": {}},
    "status": {
        "availableReplicas": 1,
        "conditions": [{"type": "Verified", "status": "False", "message": "words: 9 of 9 are wrong"}],
        "verification": {"checks": [{"name": "words", "passed": False, "message": "9 of 9 are wrong"}]},
        "performance": {"realtimeFactor": 31.44},
    },
}
RUNNING = [{"name": "server", "state": {"running": {}}}]
POD = {
    "metadata": {"namespace": "team", "name": "speech-1", "uid": "1"},
    "status": {"containerStatuses": RUNNING, "initContainerStatuses": [{"name": "fetch", "state": {}}]},
}
FAILED_JOB = {
    "metadata": {"name": "speech-verify-1", "uid": "2", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "status": {"conditions": [{"type": "Failed", "status": "True"}]},
}


def test_logs_with_their_pods_names(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api_server.by_path = {
        "/whisperservices": as_list(SERVICE),
        "/pods?": as_list(POD),
        "container=fetch": as_json({"message": "gone"}, 400),
        "container=server&tailLines=5&": as_text("ready\n"),
    }
    assert run(monkeypatch, "logs", "--tail", "5", "--component", "server") == 0
    assert capsys.readouterr() == ("speech-1 server | ready\n", "speech-1 fetch | 400: gone\n")
    assert "component%3Dserver" in api_server.requests[1][0]
    assert run(monkeypatch, "logs", "-f", "-p") == 2
    assert run(monkeypatch, "logs", "--tail", "100001") == 2


def test_a_verification_that_fails_is_the_exit_code(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = FAILED_JOB | {"status": {}}
    api_server.answers = [
        as_json(SERVICE),
        as_list(running),
        as_list(FAILED_JOB),
        as_json(SERVICE),
    ]
    assert run(monkeypatch, "verify", "speech", "-o", "json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == [{"check": "words", "passed": "False", "message": "9 of 9 are wrong"}]
    assert err.splitlines() == [
        "a verification is under way",
        "failed: words: 9 of 9 are wrong, 31.4 s of audio in a second",
    ]


def test_a_manifest_that_is_wrong_is_the_exit_code(
    api_server: PlannedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "service.yaml"
    file.write_text("kind: WhisperService\nmetadata: {name: speech}\nspec: {}\n")
    assert run(monkeypatch, "check", "-f", str(file)) == 1
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["SERVICE", "CHECK", "OUTCOME", "MESSAGE"]
    assert line.split()[:3] == ["speech", "spec", "wrong"]
    assert not api_server.requests


def test_what_caches_hold(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = SERVICE | {"spec": {"model": {"name": "base"}}}
    api_server.answers = [as_list(service), as_list(), as_list(), as_list()]
    assert run(monkeypatch, "models") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["CLAIM", "FILE", "SIZE", "USED", "BY", "WHY"]
    assert line.split()[:4] == ["speech", "no", "pod", "of"]
    assert run(monkeypatch, "models", "-A") == 0
    assert capsys.readouterr() == ("", "no WhisperService in any namespace\n")


OLD = "mine-0123456789ab.pt"
SERVES = {
    "metadata": {
        "namespace": "team",
        "name": "speech-1",
        "labels": {"whisper-operator.io/service": "speech", "app.kubernetes.io/component": "server"},
    },
    "spec": {
        "nodeName": "n",
        "containers": [{"name": "server", "image": "runtime:1"}],
        "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "speech-models"}}],
    },
}
OUTLIVED = {
    "metadata": {
        "name": "gone-models",
        "uid": "u2",
        "labels": {"whisper-operator.io/service": "gone", "app.kubernetes.io/managed-by": "whisper-operator"},
    },
    "spec": {"resources": {"requests": {"storage": "1G"}}},
}


@pytest.fixture
def cache(api_server: PlannedServer) -> PlannedServer:
    """A namespace whose claim holds a file that nothing wants, beside a claim that outlived its service."""
    complete = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    api_server.by_path = {
        "/proxy/cache": as_json({"files": {OLD: 3_000_000}}),
        "/whisperservices": as_list(SERVICE | {"spec": {"model": {"name": "base"}}}),
        "/pods?": as_list(SERVES),
        "/deployments": as_list(),
        "/persistentvolumeclaims?": as_list(OUTLIVED),
        "/jobs?": as_list(complete),
        "/jobs": as_json({"metadata": {"name": "whisper-prune-x", "uid": "u1"}}),
        "/persistentvolumeclaims/": as_json({}),
    }
    return api_server


def test_what_could_be_pruned_is_shown_and_kept(
    cache: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing but a terminal is asked, and nobody has said --yes."""
    assert run(monkeypatch, "prune") == 0
    out, err = capsys.readouterr()
    head, file, claim = out.splitlines()
    assert head.split() == ["CLAIM", "FILE", "SIZE", "OUTCOME", "WHY"]
    assert file.split() == ["speech-models", OLD, "3.0", "MB", "unused", "-"]
    assert claim.split()[:4] == ["gone-models", "1000.0", "MB", "unused"]
    assert "to delete it, name it" in claim
    assert err == "nothing was deleted: give --yes\n"
    assert set(cache.methods) == {"GET"}


def test_pruned_files_are_told_and_claims_stay(
    cache: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "prune", "--yes", "-o", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["file"], row["size"], row["outcome"]) == (OLD, "3.0 MB", "deleted")
    changed = [path for path, method in zip(cache.requests, cache.methods, strict=True) if method != "GET"]
    assert [path for path, _, _ in changed] == [
        "/apis/batch/v1/namespaces/team/jobs",
        "/apis/batch/v1/namespaces/team/jobs/whisper-prune-x",
    ]


def test_a_claim_is_pruned_by_its_name(cache: PlannedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "prune", "gone-models", "--yes") == 0
    assert cache.methods.count("DELETE") == 1
    assert str(run(monkeypatch, "prune", "speech")).startswith("Error: speech: nothing unused has that name")


@pytest.mark.parametrize(("answer", "deleted"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_a_terminal_is_asked(cache: PlannedServer, monkeypatch: pytest.MonkeyPatch, answer: str, deleted: int) -> None:
    class AskingTerminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", AskingTerminal(answer))
    monkeypatch.setattr(sys, "stdout", shown := AskingTerminal())
    assert run(monkeypatch, "prune") == 0
    assert "Delete 1 of these, 3.0 MB, for good? [y/N]" in shown.getvalue()
    assert cache.methods.count("POST") == deleted


def test_a_file_that_stays_is_the_exit_code(cache: PlannedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.by_path["/jobs?"] = as_list({"status": {"conditions": [{"type": "Failed", "status": "True"}]}})
    assert run(monkeypatch, "prune", "--yes") == 1


def test_nothing_to_prune(
    cache: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.by_path |= {"/proxy/cache": as_json({"files": {}}), "/persistentvolumeclaims?": as_list()}
    assert run(monkeypatch, "prune", "--yes") == 0
    assert capsys.readouterr() == ("", "nothing in the claims of team is unused\n")


def test_an_archive_for_whoever_helps(
    api_server: PlannedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api_server.by_path = {"": as_json({"message": "forbidden"}, 403)}
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "support-bundle") == 0
    out, err = capsys.readouterr()
    file = Path(out.strip())
    assert (file.exists(), file.name.startswith("whisper-support-team-")) == (True, True)
    assert err == f"{file}: 2 files; left-out.txt names what could not be read\n"
    assert run(monkeypatch, "support-bundle", "-f", str(file)) == f"Error: {file}: File exists"
