"""What may be deleted from caches: what nothing in the namespace refers to, and nothing that is not certain."""

from __future__ import annotations

from typing import Any

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.upkeep.prune import PruneRow, Unused, WantedFiles, chosen, delete, is_a_source, outlived, unused

from tests.plugin.conftest import PlannedServer, as_json, as_list
from whisper_runtime.contract.config import env_name
from whisper_runtime.contract.models import checkpoint_path

NAMESPACE = "/api/v1/namespaces/team"
OLD = "mine-0123456789ab.pt"


def official(name: str) -> str:
    return checkpoint_path("", name, None).removeprefix("/")


def service(name: str, model: str = "base", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "team", "name": name}, "spec": {"model": {"name": model}, **spec}}


def pod(name: str, of: str, model: str = "base", claim: str = "shared", **env: str) -> dict[str, Any]:
    variables = [{"name": env_name("model"), "value": model}, *({"name": key, "value": env[key]} for key in env)]
    return {
        "metadata": {"namespace": "team", "name": name, "labels": labels(of)},
        "spec": {
            "nodeName": "n",
            "containers": [{"name": "server", "image": "runtime:1", "env": variables}],
            "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": claim}}],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def labels(of: str) -> dict[str, str]:
    return {
        "whisper-operator.io/service": of,
        "app.kubernetes.io/component": "server",
        "app.kubernetes.io/managed-by": "whisper-operator",
    }


def deployment(of: str, model: str, last_good: str) -> dict[str, Any]:
    annotations = {"whisper-operator.io/last-good-model": last_good}
    template = {"metadata": {}, "spec": pod("", of, model)["spec"]}
    return {"metadata": {"name": of, "annotations": annotations}, "spec": {"template": template}}


def claim(name: str, **metadata: Any) -> dict[str, Any]:
    made_for = name.removesuffix("-models")
    return {
        "metadata": {"namespace": "team", "name": name, "uid": f"uid-{name}", "labels": labels(made_for), **metadata},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
    }


def lay(
    server: PlannedServer,
    files: dict[str, int],
    services: list[Any],
    pods: list[Any],
    deployments: list[Any] | None = None,
    claims: list[Any] | None = None,
) -> None:
    server.by_path = {
        "/proxy/cache": as_json({"files": files, "total_bytes": 9, "free_bytes": 1}),
        "/whisperservices": as_list(*services),
        f"{NAMESPACE}/pods?": as_list(*pods),
        "/deployments": as_list(*(deployments or ())),
        "/persistentvolumeclaims?": as_list(*(claims or ())),
    }


def found(notices: list[str] | None = None) -> list[Unused]:
    return unused(KubeApi(None, None), ([] if notices is None else notices).append)


def test_a_file_that_nothing_refers_to_is_unused(api_server: PlannedServer) -> None:
    files = {official("base"): 145, OLD: 3_000_000}
    lay(api_server, files, [service("speech")], [pod("speech-1", "speech")])
    assert [(one.claim, one.file, one.size) for one in found()] == [("shared", OLD, 3_000_000)]


@pytest.mark.parametrize(
    ("services", "pods", "deployments"),
    [
        ([service("speech"), service("asleep", "tiny")], [pod("speech-1", "speech")], []),
        ([service("speech")], [pod("speech-1", "speech"), pod("speech-0", "speech", "tiny")], []),
        ([service("speech")], [pod("speech-1", "speech")], [deployment("speech", "base", "tiny")]),
        ([service("speech")], [pod("speech-1", "speech")], [deployment("speech", "tiny", "base")]),
        ([service("speech")], [pod("speech-1", "speech", EXTRA=f"/app/models/{official('tiny')}")], []),
        ([service("speech", server={"env": [{"name": "X", "value": official("tiny")}]})], [pod("p", "speech")], []),
        ([service("speech"), service("x", source={"url": "pvc://shared/tiny.pt"})], [pod("p", "speech")], []),
    ],
    ids=[
        "of a service without pods",
        "of a pod that leaves",
        "to go back to",
        "of a rollout to come",
        "named by a pod",
        "named by a spec",
        "in a claim that is a source",
    ],
)
def test_a_file_that_anything_may_read_stays(
    api_server: PlannedServer, services: list[Any], pods: list[Any], deployments: list[Any]
) -> None:
    lay(api_server, {official("base"): 145, official("tiny"): 75}, services, pods, deployments)
    assert found() == []


@pytest.mark.parametrize(
    "file", ["encoder.pt", "mine-0123456789AB.pt", "../mine-0123456789ab.pt", "a/b-0123456789ab.pt"]
)
def test_a_file_that_no_fetch_has_named_stays(api_server: PlannedServer, file: str) -> None:
    lay(api_server, {file: 75}, [service("speech")], [pod("speech-1", "speech")])
    assert found() == []


def test_a_claim_that_cannot_be_read_is_left_alone(api_server: PlannedServer) -> None:
    lay(api_server, {}, [service("speech")], [pod("speech-1", "speech")])
    api_server.by_path["/proxy/cache"] = as_json({"message": "no route"}, 503)
    notices: list[str] = []
    assert found(notices) == []
    assert notices == ["shared is left alone: pod speech-1: 503: no route"]


def test_a_directory_of_a_pod_is_no_claim(api_server: PlannedServer) -> None:
    alone = pod("speech-1", "speech")
    alone["spec"]["volumes"] = [{"name": "models", "emptyDir": {}}]
    lay(api_server, {OLD: 75}, [service("speech")], [alone])
    assert found() == []


def test_a_claim_that_outlived_its_service() -> None:
    (gone,) = outlived([claim("gone-models"), claim("here-models")], [service("here")], [])
    assert (gone.claim, gone.file, gone.size) == ("gone-models", "", 1024**3)


OWNED = [{"controller": True, "name": "gone"}]


@pytest.mark.parametrize(
    ("claims", "services", "pods"),
    [
        ([claim("gone-jobs")], [], []),
        ([claim("gone-models", ownerReferences=OWNED)], [], []),
        ([claim("gone-models", deletionTimestamp="now")], [], []),
        ([claim("gone-models", labels={"whisper-operator.io/service": "gone"})], [], []),
        ([claim("gone-models")], [], [pod("other", "other", claim="gone-models")]),
        ([claim("gone-models")], [service("s", cache={"existingClaim": "gone-models"})], []),
        ([claim("gone-models")], [service("s", source={"url": "pvc://gone-models/a.pt"})], []),
    ],
    ids=["recordings and results", "owned", "on its way", "made by others", "mounted", "named", "a source"],
)
def test_a_claim_that_stays(claims: list[Any], services: list[Any], pods: list[Any]) -> None:
    assert list(outlived(claims, services, pods)) == []


def test_a_source_is_the_claim_of_that_whole_name() -> None:
    services = [service("s", source={"url": "pvc://shared-2/a.pt"})]
    assert not is_a_source("shared", services)
    assert is_a_source("shared-2", services)


FILE = Unused("shared", OLD, 5_000_000, pod("speech-1", "speech"))
CLAIM = Unused("gone-models", "", 1024**3, claim("gone-models"))


def test_without_names_files_alone_are_chosen() -> None:
    assert chosen([FILE, CLAIM], []) == [FILE]
    assert chosen([FILE, CLAIM], ["gone-models"]) == [CLAIM]
    assert chosen([FILE, CLAIM], ["shared"]) == [FILE]
    assert chosen([FILE, CLAIM], [OLD]) == [FILE]


def test_a_name_that_nothing_unused_has() -> None:
    with pytest.raises(Failure, match=r"^here-models: nothing unused has that name"):
        chosen([FILE, CLAIM], ["here-models", OLD])


def test_what_came_into_use_meanwhile_stays(api_server: PlannedServer) -> None:
    another = Unused("gone-models", "", 1024**3, claim("gone-models", uid="another"))
    rows = list(delete(KubeApi(None, None), [FILE, CLAIM], [another]))
    assert [(row.claim, row.outcome, row.why) for row in rows] == [
        ("shared", "failed", "it has come into use, or gone, meanwhile"),
        ("gone-models", "failed", "it has come into use, or gone, meanwhile"),
    ]
    assert not api_server.requests


def test_a_claim_goes_by_its_uid(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({}), as_json({"message": "forbidden"}, 403)]
    assert list(delete(KubeApi(None, None), [CLAIM], [CLAIM])) == [
        PruneRow("gone-models", "", "1073.7 MB", "deleted", "")
    ]
    path, _, body = api_server.requests[0]
    assert (api_server.methods[0], path) == ("DELETE", f"{NAMESPACE}/persistentvolumeclaims/gone-models")
    assert b"uid-gone-models" in body
    assert [row.why for row in delete(KubeApi(None, None), [CLAIM], [CLAIM])] == ["403: forbidden"]


def test_files_that_cannot_be_deleted_say_why(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({"message": "jobs is forbidden"}, 403)]
    assert list(delete(KubeApi(None, None), [FILE], [FILE])) == [
        PruneRow("shared", OLD, "5.0 MB", "failed", "403: jobs is forbidden")
    ]


def test_a_model_whose_digest_is_not_known_keeps_all_of_its_name() -> None:
    is_wanted = WantedFiles([deployment("speech", "mine", "base")])
    assert is_wanted("mine-0123456789ab.pt")
    assert not is_wanted("miner-0123456789ab.pt")


OWN_ENCODER = {"model": {"name": "voices", "source": {"url": "https://x", "sha256": "ab" * 32}}}
TELLING = {env_name("diarization_model"): "voices", env_name("diarization_model_sha256"): "ab" * 32}


@pytest.mark.parametrize(
    ("services", "pods", "deployments"),
    [
        ([service("speech", diarization=OWN_ENCODER)], [pod("speech-1", "speech")], []),
        ([service("speech")], [pod("speech-1", "speech", **TELLING)], []),
        (
            [service("speech")],
            [pod("speech-1", "speech")],
            [deployment("speech", "base", f"base speakers=voices@{'ab' * 32}")],
        ),
    ],
    ids=["of a spec", "of a pod that leaves", "to go back to"],
)
def test_an_encoder_that_tells_speakers_apart_stays(
    api_server: PlannedServer, services: list[Any], pods: list[Any], deployments: list[Any]
) -> None:
    lay(api_server, {"voices-abababababab.pt": 75}, services, pods, deployments)
    assert found() == []


def test_one_that_does_no_more_is_unused(api_server: PlannedServer) -> None:
    lay(api_server, {"voices-abababababab.pt": 75}, [service("speech", diarization={})], [pod("speech-1", "speech")])
    assert [one.file for one in found()] == ["voices-abababababab.pt"]
