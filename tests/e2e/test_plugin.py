"""`kubectl whisper`, as kubectl itself finds and runs it, through a real API server to real pods."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from testbed.demo import platform
from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl
from tests.support.pages import yaml_blocks
from tests.support.services import mirrored_service
from tests.support.traffic import joined
from tests.support.waiting import eventually

PAGE = REPOSITORY / "docs" / "how-to" / "kubectl-whisper.md"
TIMES = 3
"""So often the recordings, of 36 s together, are in what is sent: the pod ends in the middle of it."""


@dataclass(frozen=True)
class Plugin:
    command: tuple[str, ...]
    environment: Mapping[str, str]

    def __call__(self, *arguments: str) -> str:
        """Standard output; the test fails where the command does."""
        return subprocess.run(
            (*self.command, *arguments),
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=300,
        ).stdout


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    """A Ready service named `speech` that serves tiny.en, and asks for a key."""
    namespace("create", "secret", "generic", "keys", "--from-literal=me=key-of-the-service")
    namespace.apply(mirrored_service("speech", auth={"secretRef": {"name": "keys"}}, verification={}))
    namespace.wait_ready("speech")
    return namespace


@pytest.fixture(scope="module")
def user(service: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of an account with the rights that the page names, and no more."""
    (role,) = (one for one in yaml_blocks(PAGE) if one["kind"] == "Role")
    role["rules"][1]["resourceNames"] = ["speech:http"]
    service.apply(role)
    service("create", "serviceaccount", "user")
    service(
        "create",
        "rolebinding",
        "user",
        "--role",
        role["metadata"]["name"],
        f"--serviceaccount={service.namespace}:user",
    )
    config = yaml.safe_load(platform.KUBECONFIG.read_text())
    config["users"] = [
        {"name": one["name"], "user": {"token": service("create", "token", "user")}} for one in config["users"]
    ]
    for one in config["contexts"]:
        one["context"]["namespace"] = service.namespace
    file = tmp_path_factory.mktemp("user") / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture(scope="module")
def plugin(service: Kubectl, user: Path, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """kubectl with the plugin on its PATH."""
    folder = tmp_path_factory.mktemp("bin")
    for name, module in (
        ("kubectl-whisper", "kubectl_whisper.cli"),
        ("kubectl_complete-whisper", "kubectl_whisper.completion"),
    ):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from {module} import main; main()" "$@"\n')
        script.chmod(0o755)
    paths = ":".join(str(REPOSITORY / part) for part in ("operator", "plugin", "runtime"))
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "KUBECONFIG": str(user), "PYTHONPATH": paths}
    return Plugin((service.command[0], "whisper"), environment)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("key") / "key"
    file.write_text("key-of-the-service\n")
    return str(file)


def test_the_state_at_a_glance(plugin: Plugin) -> None:
    _, line = plugin("status").splitlines()
    assert line.split()[:4] == ["speech", "True", "tiny.en", "1/1"]
    (row,) = json.loads(plugin("status", "speech", "-o", "json"))
    assert row["why"] == ""
    assert float(row["speed"].removesuffix("x")) > 0


def test_how_busy_its_pod_is(service: Kubectl, plugin: Plugin) -> None:
    (pod,) = service.pods_of("speech")
    (row,) = json.loads(plugin("top", "-o", "json"))
    assert (row["service"], row["pod"], row["ready"], row["why"]) == ("speech", pod["metadata"]["name"], "True", "")
    assert row["queued"].startswith("0s/")
    assert int(row["free_rows"]) > 0
    assert float(row["speed"].removesuffix("x")) > 0


def test_what_may_follow_as_kubectl_itself_asks(service: Kubectl, plugin: Plugin) -> None:
    def offered(*typed: str) -> list[str]:
        command = (service.command[0], "__complete", "whisper", *typed)
        done = subprocess.run(command, env=plugin.environment, check=True, capture_output=True, text=True, timeout=60)
        return [line.partition("\t")[0] for line in done.stdout.splitlines()]

    assert offered("sta") == ["status", ":4"]
    assert offered("verify", "") == ["speech", ":4"]
    assert offered("transcribe", "") == [":0"]


def test_what_its_pods_log(service: Kubectl, plugin: Plugin) -> None:
    (pod,) = service.pods_of("speech")
    lines = plugin("logs", "speech", "--component", "server").splitlines()
    assert lines
    assert all(line.startswith(f"{pod['metadata']['name']} server | ") for line in lines)


def test_what_its_claim_holds(plugin: Plugin) -> None:
    (row,) = json.loads(plugin("models", "-o", "json"))
    assert (row["claim"], row["used_by"], row["why"]) == ("speech-models", "speech", "")
    assert row["file"].startswith("tiny.en-")


LEFT = "left-0123456789ab.pt"


def test_what_no_service_wants_goes_and_what_it_serves_stays(
    service: Kubectl, plugin: Plugin, images: dict[str, str]
) -> None:
    """Pods mount the claim read-only: the file of an earlier model comes from a pod of the test's own."""
    volume = {"name": "models", "persistentVolumeClaim": {"claimName": "speech-models"}}
    (pod,) = service.pods_of("speech")
    container = {
        "name": "writer",
        "image": images["runtime"],
        "command": ["dd", "if=/dev/zero", f"of=/models/{LEFT}", "bs=1M", "count=2"],
        "volumeMounts": [{"name": "models", "mountPath": "/models"}],
        "securityContext": pod["spec"]["containers"][0]["securityContext"],
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": pod["spec"]["securityContext"],
        "containers": [container],
        "volumes": [volume],
    }
    service.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "writer"}, "spec": spec})
    service("wait", "pod/writer", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    service("delete", "pod", "writer")

    def held() -> set[str]:
        return {row["file"] for row in json.loads(plugin("models", "-o", "json"))}

    (shown,) = json.loads(plugin("prune", "-o", "json"))
    assert (shown["claim"], shown["file"], shown["size"]) == ("speech-models", LEFT, "2.1 MB")
    assert shown["outcome"] == "unused"
    served = held() - {LEFT}
    assert held() == served | {LEFT}, "without --yes nothing goes"
    (row,) = json.loads(plugin("prune", "--yes", "-o", "json"))
    assert (row["file"], row["outcome"], row["why"]) == (LEFT, "deleted", "")
    assert held() == served
    assert service.list("jobs", "app.kubernetes.io/component=prune") == []


def test_a_claim_that_outlived_its_service(service: Kubectl, plugin: Plugin) -> None:
    """Its data is deleted where somebody names it, and only there."""
    labels = {"whisper-operator.io/service": "gone", "app.kubernetes.io/managed-by": "whisper-operator"}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "gone-models", "labels": labels}
    service.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    plugin("prune", "--yes")
    assert service.get("persistentvolumeclaims", "gone-models") is not None
    (row,) = json.loads(plugin("prune", "gone-models", "--yes", "-o", "json"))
    assert (row["claim"], row["outcome"]) == ("gone-models", "deleted")
    eventually("it is gone", lambda: service.get("persistentvolumeclaims", "gone-models") is None, 60)


def test_a_manifest_before_it_is_applied(service: Kubectl, plugin: Plugin, tmp_path: Path) -> None:
    """With the rights of the page's Role, which may not apply: that is unknown, and so is what may not be read."""
    file = tmp_path / "service.yaml"
    file.write_text(yaml.safe_dump(mirrored_service("other")))
    rows = {row["check"]: row for row in json.loads(plugin("check", "-f", str(file), "-o", "json"))}
    assert rows["spec"]["outcome"] == "ok"
    assert rows["admission"]["outcome"] == "unknown"
    assert service.get("wsvc", "other") is None


def test_a_verification_that_is_asked_for(service: Kubectl, plugin: Plugin) -> None:
    (before,) = service.list("jobs", "whisper-operator.io/service=speech,app.kubernetes.io/component=verify")
    rows = json.loads(plugin("verify", "speech", "-o", "json"))
    assert rows
    assert {row["passed"] for row in rows} == {"True"}
    (after,) = service.list("jobs", "whisper-operator.io/service=speech,app.kubernetes.io/component=verify")
    assert before["metadata"]["uid"] != after["metadata"]["uid"]


def test_an_archive_for_whoever_helps(service: Kubectl, plugin: Plugin, tmp_path: Path) -> None:
    """The operator is in another namespace, which the page's Role does not open."""
    file = tmp_path / "bundle.tar.gz"
    plugin("support-bundle", "-f", str(file))
    with tarfile.open(file) as archive:
        texts = {
            one.name.partition("/")[2]: (archive.extractfile(one) or io.BytesIO()).read().decode() for one in archive
        }
    (pod,) = service.pods_of("speech")
    assert {f"logs/{pod['metadata']['name']}/server.log", "deployments.yaml", "events.yaml"} <= set(texts)
    assert "whisper_" in texts[f"metrics/{pod['metadata']['name']}.txt"]
    assert "key-of-the-service" not in "".join(texts.values())
    assert {line.partition(":")[0] for line in texts["left-out.txt"].splitlines()} <= {
        "httproutes",
        "operator",
        "prometheusrules",
        "scaledobjects",
        "servicemonitors",
    }


def test_words_without_an_ingress(plugin: Plugin, key_file: str, recordings: Path) -> None:
    """The API server takes `Authorization` for its own: the key reaches the pod all the same."""
    arguments = ("transcribe", str(recordings / "jfk.wav"), "--api-key-file", key_file)
    text = plugin(*arguments)
    assert "ask not what your country can do for you" in text.replace("\n", " ")
    assert plugin(*arguments, "-o", "srt").startswith("1\n00:00:00,")
    assert {word["word"].strip() for word in json.loads(plugin(*arguments, "-o", "json", "--words"))["words"]} > {
        "country"
    }


def test_how_fast_it_is(plugin: Plugin, key_file: str, recordings: Path) -> None:
    arguments = ("--api-key-file", key_file, "--clients", "2", "--requests", "4")
    first, *_, last = plugin("bench", str(recordings / "jfk.wav"), *arguments).splitlines()
    assert first.split()[:2] == ["requests", "4,"]
    assert float(last.split()[-2]) > 0


def test_a_pod_that_ends_meanwhile_costs_time_alone(
    service: Kubectl, plugin: Plugin, key_file: str, recordings: Path, tmp_path: Path
) -> None:
    """No line is missing, and none comes twice."""
    files = [*sorted((recordings / "librivox").glob("*.wav")), recordings / "jfk.wav"]
    recording = tmp_path / "long.wav"
    recording.write_bytes(joined([file.read_bytes() for file in files] * TIMES))
    arguments = ("transcribe", str(recording), "--api-key-file", key_file, "--language", "en")
    whole = plugin(*arguments)
    command = (*plugin.command, *arguments)
    with subprocess.Popen(command, env=plugin.environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        assert running.poll() is None, "it has ended before the pod does"
        pods = [pod["metadata"]["name"] for pod in service.pods_of("speech")]
        service("delete", "pod", *pods, "--grace-period=0", "--force")
        rest = running.stdout.read()
    assert running.returncode == 0
    assert first + rest == whole
    eventually("the next pod is ready", lambda: service.condition("speech", "Ready")["status"] == "True", 120)
