"""A manifest is checked by itself, by the API server, and by the operator's preflight, and nothing is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.upkeep.check import CheckRow, check, manifests

from tests.plugin.conftest import CannedAnswer, PlannedServer, as_json, as_list

PATCH = "whisperservices/speech?dryRun=All"


def manifest(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "whisper-operator.io/v1alpha1",
        "kind": "WhisperService",
        "metadata": {"name": "speech"},
        "spec": {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}, **spec},
    }


def written(folder: Path, *bodies: Any) -> Path:
    file = folder / "services.yaml"
    file.write_text(yaml.safe_dump_all(bodies))
    return file


def checked(api_server: PlannedServer, file: Path, admission: CannedAnswer) -> dict[str, CheckRow]:
    """The checks of the one service in `file`, on a cluster that has nothing."""
    api_server.by_path = {PATCH: admission, "/serviceaccounts/": as_json({"reason": "NotFound"}, 404), "": as_list()}
    return {row.check: row for row in check(KubeApi(None, None), file, None)}


def test_one_that_is_right(api_server: PlannedServer, tmp_path: Path) -> None:
    found = checked(api_server, written(tmp_path, manifest()), as_json({}))
    assert (found["spec"].outcome, found["admission"].outcome) == ("ok", "ok")
    assert found["quota"].outcome == "ok", "of the operator's preflight"
    assert {row.service for row in found.values()} == {"speech"}
    assert set(api_server.methods) == {"PATCH", "GET"}
    (patch,) = (path for path, *_ in api_server.requests if PATCH in path)
    assert "/namespaces/team/" in patch, "the context's, where the manifest names none"


def test_one_that_is_wrong_by_itself_is_not_sent(api_server: PlannedServer, tmp_path: Path) -> None:
    found = checked(api_server, written(tmp_path, manifest(replicas="many")), as_json({}))
    assert [row.outcome for row in found.values()] == ["wrong"]
    assert "spec.replicas" in found["spec"].message
    assert not api_server.requests


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (422, "ValidatingAdmissionPolicy 'p' denied request: spec.podTemplate is not allowed", "wrong"),
        (404, "the server could not find the requested resource", "wrong"),
        (403, 'whisperservices "speech" is forbidden: User "me" cannot patch resource "whisperservices"', "unknown"),
        (403, 'whisperservices "speech" is forbidden: exceeded quota: count', "wrong"),
    ],
    ids=["a policy", "no operator", "no right", "a quota"],
)
def test_what_the_api_server_says(
    api_server: PlannedServer, tmp_path: Path, status: int, message: str, outcome: str
) -> None:
    found = checked(api_server, written(tmp_path, manifest()), as_json({"message": message}, status))
    assert (found["admission"].outcome, found["admission"].message) == (outcome, f"{status}: {message}")
    assert "quota" in found, "the preflight is made all the same"


def test_a_cluster_that_may_not_be_read_leaves_preflight_unknown(api_server: PlannedServer, tmp_path: Path) -> None:
    api_server.by_path = {PATCH: as_json({}), "": as_json({"message": "no", "reason": "Forbidden"}, 403)}
    *_, last = check(KubeApi(None, None), written(tmp_path, manifest()), None)
    assert (last.check, last.outcome) == ("preflight", "unknown")
    assert "403" in last.message


def test_services_among_other_objects(tmp_path: Path) -> None:
    elsewhere = manifest() | {"metadata": {"name": "far", "namespace": "others"}}
    file = written(tmp_path, {"kind": "Secret"}, None, manifest(), elsewhere)
    assert [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in manifests(file, "team")] == [
        ("team", "speech"),
        ("others", "far"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("kind: Secret\n", "no WhisperService in it"), ("a: [", "while parsing"), ("\xff", "x.yaml: ")],
    ids=["none", "no YAML", "no text"],
)
def test_a_file_without_a_service_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(Failure, match=message):
        manifests(file, "team")


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="No such file"):
        manifests(tmp_path / "none.yaml", "team")
    monkeypatch.setattr("kubectl_whisper.upkeep.check.MOST_BYTES", 10)
    with pytest.raises(Failure, match="more than 10 bytes: split it"):
        manifests(written(tmp_path, manifest()), "team")
