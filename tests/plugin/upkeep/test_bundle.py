"""One archive with what helps, bounded, and with nothing secret in it, wherever somebody has put a secret."""

from __future__ import annotations

import itertools
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.upkeep.bundle import MOST_BYTES, BundleFile, BundleScope, bundle_files, write

from tests.plugin.conftest import PlannedServer, as_json, as_list, as_text
from whisper_operator.objects.kinds import CHILD_KINDS

SCOPE = BundleScope(frozenset(), "whisper-system")
LABELS = {"whisper-operator.io/service": "speech"}


class Planted:
    """Secrets, each another, so that the one that is found says where it was."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.places: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        found = f"zebra{next(self.numbers)}zebra"
        self.places[found] = place
        return found


def container(plant: Planted, kind: str) -> dict[str, Any]:
    return {
        "name": "server",
        "env": [{"name": "MY_KEY", "value": plant(f"{kind} env")}],
        "args": ["serve", f"--api-key={plant(f'{kind} args')}", "--token", plant(f"{kind} args")],
        "command": ["sh", "-c", plant(f"{kind} command")],
        "livenessProbe": {
            "httpGet": {
                "path": f"/x?token={plant(f'{kind} path')}",
                "httpHeaders": [{"value": plant(f"{kind} header")}],
            },
            "exec": {"command": [plant(f"{kind} probe")]},
        },
    }


def manifest(plant: Planted, kind: str, name: str = "speech") -> dict[str, Any]:
    """An object of ours with a secret wherever a field lets somebody put one."""
    applied = json.dumps({"spec": {"env": [{"name": "K", "value": plant(f"{kind} last-applied")}]}})
    pod = {
        "metadata": {"annotations": {"note": plant(f"{kind} template annotation")}},
        "spec": {
            "containers": [container(plant, kind)],
            "initContainers": [container(plant, f"{kind} init")],
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [{"csi": {"volumeAttributes": {"key": plant(f"{kind} csi")}}}],
        },
    }
    return {
        "kind": kind,
        "metadata": {
            "namespace": "team",
            "name": name,
            "uid": f"uid-{name}",
            "labels": {**LABELS, "mine": plant(f"{kind} label")},
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": applied,
                "note": plant(f"{kind} annotation"),
            },
            "managedFields": [{"manager": plant(f"{kind} managed fields")}],
        },
        "spec": {
            "model": {
                "name": "base",
                "source": {"url": f"https://me:{plant(f'{kind} userinfo')}@models.example.com/b.pt"},
            },
            "server": {"env": [{"name": "WHISPER_MODEL_URL", "value": f"https://x/b.pt?sig={plant(f'{kind} query')}"}]},
            "jobs": {"webhooks": {"secret": plant(f"{kind} webhook")}},
            "podTemplate": {"spec": pod["spec"]},
            "template": pod,
            "triggers": [{"metadata": {"password": plant(f"{kind} trigger")}}],
            "verification": {"expect": {"text": plant(f"{kind} words")}},
            "data": {"key": plant(f"{kind} data")},
            **pod["spec"],
        },
        "status": {
            "phase": "Running",
            "accepted": {"spec": json.dumps({"key": plant(f"{kind} accepted")})},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "False",
                    "reason": "R",
                    "message": f"https://a:{plant(f'{kind} message')}@x: 401",
                }
            ],
            "containerStatuses": [{"name": "server", "state": {"running": {}}, "restartCount": 1}],
        },
    }


def log(plant: Planted, place: str) -> str:
    return "\n".join(
        (
            '{"level": "info", "message": "ready"}',
            f"Authorization: Bearer {plant(place)}",
            f"https://user:{plant(place)}@example.com/ failed",
            f'{{"password": "{plant(place)}"}}',
            f"whsec_{plant(place)}",
        )
    )


def event(plant: Planted, about: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "team", "name": "e"},
        "involvedObject": {"kind": "Pod", "name": about},
        "message": f"pull https://u:{plant('event')}@r.example.com failed",
    }


def serve(api_server: PlannedServer, plant: Planted) -> None:
    """A cluster with a service that has a child of each kind, and the operator."""
    operator = manifest(plant, "Operator", "whisper-operator-1")
    operator["metadata"]["namespace"] = "whisper-system"
    operator["metadata"]["annotations"]["prometheus.io/port"] = "9999"
    elsewhere = event(plant, "speech2-1")
    api_server.by_path = {
        "/version": as_json({"gitVersion": "v1.36.0"}),
        "/whisperservices": as_list(manifest(plant, "WhisperService")),
        "/whisper-system/pods?": as_list(operator),
        "previous=true": as_text(log(plant, "previous log")),
        "/log?": as_text(log(plant, "log")),
        "/metrics": as_text(f'whisper_up{{url="http://u:{plant("metrics")}@x"}} 1\n'),
        "/events": as_list(event(plant, "speech-1"), elsewhere),
        "/pods?": as_list(manifest(plant, "Pod", "speech-1")),
        **{f"/{kind.plural}?": as_list(manifest(plant, kind.kind)) for kind in CHILD_KINDS},
        "": as_list(manifest(plant, "Secret")),
    }


def opened(file: Path) -> dict[str, str]:
    """The archive's texts by their paths, without the folder that all are in."""
    with tarfile.open(file) as archive:
        members = {one.name.partition("/")[2]: archive.extractfile(one) for one in archive}
        return {path: stream.read().decode() for path, stream in members.items() if stream}


def test_nothing_secret_is_in_it(api_server: PlannedServer, tmp_path: Path) -> None:
    plant, file = Planted(), tmp_path / "bundle.tar.gz"
    serve(api_server, plant)
    write(file, bundle_files(KubeApi(None, None), SCOPE))
    whole = "\n".join(opened(file).values())
    assert {place for secret, place in plant.places.items() if secret in whole} == set()
    asked = [path for path, *_ in api_server.requests]
    assert not [path for path in asked if "/secrets" in path or "/configmaps" in path], "none is read"
    assert set(api_server.methods) == {"GET"}


def test_what_helps_is_in_it(api_server: PlannedServer, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    serve(api_server, Planted())
    paths = write(file, bundle_files(KubeApi(None, None), SCOPE))
    found = opened(file)
    assert list(found) == paths
    assert set(found) == {
        "README.txt",
        "version.json",
        "status.yaml",
        "whisperservices.yaml",
        *(f"{kind.plural}.yaml" for kind in CHILD_KINDS),
        "events.yaml",
        "pods.yaml",
        "metrics/speech-1.txt",
        "logs/speech-1/server.log",
        "logs/speech-1/server.previous.log",
        "operator/pods.yaml",
        "operator/metrics/whisper-operator-1.txt",
        "operator/logs/whisper-operator-1/server.log",
        "operator/logs/whisper-operator-1/server.previous.log",
        "left-out.txt",
    }
    assert json.loads(found["version.json"])["kubernetes"] == "v1.36.0"
    (service,) = yaml.safe_load(found["whisperservices.yaml"])
    assert service["spec"]["model"]["name"] == "base"
    assert yaml.safe_load(found["status.yaml"])[0]["ready"] == "False"
    assert [one["involvedObject"]["name"] for one in yaml.safe_load(found["events.yaml"])] == ["speech-1"]
    assert '{"level": "info", "message": "ready"}' in found["logs/speech-1/server.log"]
    assert found["left-out.txt"] == ""
    assert any("/pods/whisper-operator-1:9999/proxy/metrics" in path for path, *_ in api_server.requests)


def test_what_may_not_be_read_costs_nothing_else(api_server: PlannedServer) -> None:
    serve(api_server, Planted())
    refused = as_json({"message": "ingresses is forbidden"}, 403)
    api_server.by_path = {
        "/ingresses": refused,
        "/whisper-system/": refused,
        "previous=": refused,
        **api_server.by_path,
    }
    found = {one.path: one.text for one in bundle_files(KubeApi(None, None), SCOPE)}
    assert "ingresses.yaml" not in found
    assert found["left-out.txt"].splitlines() == [
        "ingresses: 403: ingresses is forbidden",
        "logs/speech-1/server.previous.log: 403: ingresses is forbidden",
        "operator: 403: ingresses is forbidden",
    ]
    assert "logs/speech-1/server.log" in found


def test_services_that_were_not_asked_for_are_left_out(api_server: PlannedServer) -> None:
    serve(api_server, Planted())
    scope = BundleScope(frozenset({"other"}), "whisper-system")
    found = {one.path: one.text for one in bundle_files(KubeApi(None, None), scope)}
    assert all(yaml.safe_load(found[path]) == [] for path in ("whisperservices.yaml", "deployments.yaml", "pods.yaml"))
    assert not [path for path in found if path.startswith("logs/")]


def test_an_installation_that_is_elsewhere_is_told(api_server: PlannedServer) -> None:
    serve(api_server, Planted())
    api_server.by_path["/whisper-system/pods?"] = as_list()
    *_, left_out = bundle_files(KubeApi(None, None), SCOPE)
    assert "namespace whisper-system has no pod of it: name another by --operator-namespace" in left_out.text


def test_a_pod_that_has_ended_has_logs_and_measures_nothing(api_server: PlannedServer) -> None:
    plant = Planted()
    serve(api_server, plant)
    ended = manifest(plant, "Pod", "speech-verify-1")
    ended["status"]["phase"] = "Succeeded"
    api_server.by_path["/pods?"] = as_list(ended)
    found = {one.path: one.text for one in bundle_files(KubeApi(None, None), SCOPE)}
    assert "logs/speech-verify-1/server.log" in found
    assert "metrics/speech-verify-1.txt" not in found
    assert found["left-out.txt"] == ""


def test_a_log_is_read_as_far_as_its_bound(api_server: PlannedServer) -> None:
    serve(api_server, Planted())
    api_server.by_path["/log?"] = as_text("x" * (MOST_BYTES + 10))
    found = {one.path: one.text for one in bundle_files(KubeApi(None, None), SCOPE)}
    assert len(found["logs/speech-1/server.log"]) == MOST_BYTES
    asked = next(path for path, *_ in api_server.requests if "/log?" in path)
    assert "tailLines=5000" in asked
    assert f"limitBytes={MOST_BYTES}" in asked


def test_only_its_owner_may_read_it_and_none_is_overwritten(tmp_path: Path) -> None:
    def files() -> Iterator[BundleFile]:
        yield BundleFile("a.txt", "a")

    file = tmp_path / "bundle.tar.gz"
    assert write(file, files()) == ["a.txt"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Failure, match=r"bundle\.tar\.gz: File exists"):
        write(file, files())
    assert opened(file) == {"a.txt": "a"}
