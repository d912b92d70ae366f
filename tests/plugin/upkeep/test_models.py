"""Each cache is read through one of its pods, and each file is shown with the services that use it."""

from __future__ import annotations

from typing import Any

import pytest
from kubectl_whisper.kube_api import KubeApi
from kubectl_whisper.upkeep.models import ModelRow, caches_of, is_used, model_rows, used_files

from tests.plugin.conftest import PlannedServer, as_json, as_list
from whisper_runtime.contract.models import OFFICIAL_MODELS, checkpoint_path
from whisper_runtime.contract.reports import CacheReport

CLAIM = {"persistentVolumeClaim": {"claimName": "shared"}}


def service(named: str, model: str = "base", sha256: str | None = None, **status: str) -> dict[str, Any]:
    source = {"source": {"url": "https://x", "sha256": sha256}} if sha256 else {}
    metadata = {"namespace": "team", "name": named}
    return {"metadata": metadata, "spec": {"model": {"name": model, **source}}, "status": {"model": status}}


def pod(name: str, of: str, volume: dict[str, Any] = CLAIM, ready: str = "True") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "team", "name": name, "labels": {"whisper-operator.io/service": of}},
        "spec": {"volumes": [{"name": "scratch"}, {"name": "models", **volume}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def official(name: str) -> str:
    return checkpoint_path("", name, None).removeprefix("/")


def test_files_of_a_claim_with_who_uses_them(api_server: PlannedServer) -> None:
    """By the report as the runtime writes it; a service that sleeps still uses its file."""
    report = CacheReport(files={official("base"): 145_262_807, "old-1.pt": 5_000}, total_bytes=10, free_bytes=1)
    api_server.by_path = {
        "/whisperservices": as_list(service("speech"), service("asleep")),
        "/pods?": as_list(pod("speech-1", "speech")),
        "/pods/speech-1:9000/proxy/cache": as_json(report.model_dump()),
    }
    assert model_rows(KubeApi(None, None), everywhere=False) == [
        ModelRow("team", "shared", official("base"), "145.3 MB", "asleep, speech", ""),
        ModelRow("team", "shared", "old-1.pt", "0.0 MB", "", ""),
        ModelRow("team", "", "", "", "asleep", "no pod of it serves, and a claim is read through one alone"),
    ]


def test_a_pod_that_does_not_answer_is_named(api_server: PlannedServer) -> None:
    api_server.by_path = {
        "/whisperservices": as_list(service("speech")),
        "/pods?": as_list(pod("speech-1", "speech")),
        "/proxy/cache": as_json({"error": {"message": "no such path"}}, 404),
    }
    (row,) = model_rows(KubeApi(None, None), everywhere=True)
    assert (row.claim, row.why) == ("shared", "pod speech-1: 404: no such path")


def test_a_claim_is_read_once_through_a_pod_that_is_ready() -> None:
    pods = [pod("a", "speech", ready="False"), pod("b", "calls"), pod("c", "speech")]
    (found,) = caches_of(pods)
    assert (found.name, found.pod["metadata"]["name"], found.services) == ("shared", "b", {"speech", "calls"})


def test_directories_of_pods_are_caches_of_their_own_and_a_models_own_image_is_none() -> None:
    directories = [pod("a", "speech", {"emptyDir": {}}), pod("b", "speech", {"emptyDir": {}})]
    baked = pod("c", "calls")
    baked["spec"]["volumes"].pop()
    assert [one.name for one in caches_of([*directories, baked])] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "files"),
    [
        (service("s"), {official("base")}),
        (service("s", "mine", "ab" * 32), {"mine-abababababab.pt"}),
        (service("s", "mine"), {"mine-"}),
        (
            service("s", "large-v3", name="base", digest=f"sha256:{OFFICIAL_MODELS['base']}", wanted="large-v3"),
            {official("base"), official("large-v3")},
        ),
        (service("s", "mine", name="mine", digest="sha256:" + "cd" * 32), {"mine-", "mine-cdcdcdcdcdcd.pt"}),
    ],
    ids=["official", "by its digest", "digest unknown", "changing", "served and of unknown digest"],
)
def test_what_a_service_uses(body: dict[str, Any], files: set[str]) -> None:
    assert used_files(body) == files


def test_a_digest_that_is_not_known_uses_all_of_the_name() -> None:
    assert is_used("mine-abababababab.pt", ["mine-"])
    assert not is_used("miner-abababababab.pt", ["mine-"])
    assert not is_used("mine-abababababab.pt", ["mine-cdcdcdcdcdcd.pt"])


def test_an_encoder_of_speakers_is_used_as_a_model_is() -> None:
    told = {"name": "old", "digest": f"sha256:{'cd' * 32}", "wanted": "voices", "wantedDigest": f"sha256:{'ab' * 32}"}
    encoder = {"model": {"name": "voices", "source": {"url": "https://x", "sha256": "ab" * 32}}}
    body = service("speech")
    body["spec"]["diarization"], body["status"]["diarization"] = encoder, told
    assert used_files(body) - used_files(service("speech")) == {"voices-abababababab.pt", "old-cdcdcdcdcdcd.pt"}
