"""The volume of jobs in a server's pod, and the settings by which the runtime keeps jobs there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.operator.samples import children, container, deployment, live, node, observed, one, pod, resolved, service
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.job_store import usable_bytes
from whisper_operator.build.server_pod import SAFE_TO_EVICT
from whisper_operator.objects.names import jobs_claim
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import JOBS_DIR

GIB = 1024**3
IN_POD: dict[str, Any] = {"cache": {"type": "EmptyDir"}}


def with_jobs(storage: Manifest | None = None, **spec: Any) -> WhisperService:
    return service(**{**IN_POD, "jobs": {"storage": storage} if storage else {}, **spec})


def claim_of_jobs(of: WhisperService, phase: str = "Bound", **spec: Any) -> Manifest:
    manifest = one(children(of), "PersistentVolumeClaim", jobs_claim("speech"))
    return live({**manifest, "spec": {**manifest["spec"], **spec}}, status={"phase": phase})


def template(of: WhisperService, *there: Manifest, **facts: Any) -> Manifest:
    return one(children(of, observed(*there, **facts)), "Deployment")["spec"]["template"]


def config(of: WhisperService, *there: Manifest, **facts: Any) -> RuntimeConfig:
    """The configuration that the server reads."""
    variables = container(template(of, *there, **facts)["spec"], "server")["env"]
    return RuntimeConfig.from_env({one["name"]: one["value"] for one in variables})


def test_a_service_without_jobs_has_no_volume_and_no_setting_of_them() -> None:
    pod_of_none = template(service(**IN_POD))
    assert "job-store" not in [volume["name"] for volume in pod_of_none["spec"]["volumes"]]
    assert config(service(**IN_POD)).jobs_dir is None


@pytest.mark.parametrize(
    ("storage", "volume"),
    [
        (None, {"persistentVolumeClaim": {"claimName": "speech-jobs"}}),
        ({"existingClaim": "mine"}, {"persistentVolumeClaim": {"claimName": "mine"}}),
        ({"type": "EmptyDir", "size": "2048Mi"}, {"emptyDir": {"sizeLimit": "2Gi"}}),
        ({"type": "EmptyDir"}, {"emptyDir": {"sizeLimit": "10Gi"}}),
    ],
)
def test_the_server_alone_has_the_volume_of_jobs(storage: Manifest | None, volume: Manifest) -> None:
    spec = template(with_jobs(storage))["spec"]
    assert [one for one in spec["volumes"] if one["name"] == "job-store"] == [{"name": "job-store", **volume}]
    assert {"name": "job-store", "mountPath": JOBS_DIR} in container(spec, "server")["volumeMounts"]
    (fetch,) = spec["initContainers"]
    assert "job-store" not in [mount["name"] for mount in fetch["volumeMounts"]]


def test_the_server_is_given_the_directory_and_the_time_that_results_are_kept() -> None:
    found = config(service(**IN_POD, jobs={"resultTTL": "36h", "maxQueuedAudioPerClient": "10h"}))
    assert (found.jobs_dir, found.jobs_result_seconds) == (JOBS_DIR, 36 * 3600)
    assert found.jobs_max_queued_audio_seconds == 10 * 3600
    assert config(service(**IN_POD, jobs={})).jobs_max_queued_audio_seconds is None


@pytest.mark.parametrize(
    ("size", "usable"),
    [(20 * GIB, 18 * GIB), (1 * GIB, 768 * 1024**2), (300 * 1024**2, 150 * 1024**2), (1, 1)],
    ids=["less a tenth", "less what every file system takes", "half at least", "one byte"],
)
def test_jobs_take_a_volume_but_for_a_margin(size: int, usable: int) -> None:
    assert usable_bytes(Decimal(size)) == usable


@pytest.mark.parametrize(
    ("asked", "has", "usable"),
    [
        ("20Gi", None, 18 * GIB),
        ("20Gi", "20Gi", 18 * GIB),
        ("20Gi", "10Gi", 9 * GIB),
        ("10Gi", "20Gi", 9 * GIB),
        ("20Gi", "10737418240500m", 9 * GIB),
    ],
    ids=["to be made", "as asked", "not grown yet", "larger than asked", "in thousandths"],
)
def test_the_limit_is_of_what_the_claim_has_for_certain(asked: str, has: str | None, usable: int) -> None:
    wanted = with_jobs({"size": asked})
    there = [claim_of_jobs(wanted, resources={"requests": {"storage": has}})] if has else []
    assert config(wanted, *there).jobs_max_bytes == usable


def test_a_claim_of_somebody_else_limits_jobs_by_its_own_size() -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "40Gi"}}}
    mine = {"metadata": {"name": "mine"}, "spec": spec}
    found = config(with_jobs({"existingClaim": "mine"}), claims={"mine": mine})
    assert found.jobs_max_bytes == 36 * GIB


def test_an_old_pod_and_the_new_one_are_on_the_node_of_the_claim_before_it_is_there_and_after() -> None:
    wanted = with_jobs()
    before, after = template(wanted), template(wanted, claim_of_jobs(wanted))
    (term,) = before["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert before == after, "a claim that appears makes no new pods"


def test_jobs_in_the_pod_tie_it_to_no_node_and_keep_its_node_from_being_removed() -> None:
    found = template(with_jobs({"type": "EmptyDir"}))
    assert "affinity" not in found["spec"]
    assert found["metadata"]["annotations"][SAFE_TO_EVICT] == "scratch,models"


def test_a_claim_of_one_pod_is_handed_over_by_replacing() -> None:
    mine = {
        "metadata": {"name": "mine"},
        "spec": {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "40Gi"}}},
    }
    wanted = with_jobs({"existingClaim": "mine"}, language="de")
    before = deployment(with_jobs({"existingClaim": "mine"}))
    rollout = resolved(wanted, observed(before, claims={"mine": mine})).rollout
    assert rollout is not None
    assert rollout.decision.strategy == "Replace"
    assert rollout.decision.reason == "claim mine is ReadWriteOncePod, so only one pod can mount it"


def test_a_gpu_is_looked_for_on_the_node_of_the_claim_alone() -> None:
    of = with_jobs(gpu={}, language="de")
    runs = {**pod("server"), "spec": {"nodeName": "a", "containers": []}}
    before = deployment(with_jobs(gpu={}))
    there = observed(before, claim_of_jobs(of), runs, nodes=(node("a", gpu="1"), node("b", gpu="1")))
    rollout = resolved(of, there, requested={"a": {"nvidia.com/gpu": Decimal(1)}}).rollout
    assert rollout is not None
    assert rollout.decision.strategy == "Replace"


def test_several_pods_keep_their_jobs_in_the_store_and_have_no_volume_of_them() -> None:
    redis = {"secretKeyRef": {"name": "valkey", "key": "url"}}
    shared = with_jobs({"type": "Redis"}, redis=redis, replicas=3)
    assert "job-store" not in [volume["name"] for volume in template(shared)["spec"]["volumes"]]
    assert [one["metadata"]["name"] for one in children(shared) if one["kind"] == "PersistentVolumeClaim"] == []
    found = config(shared)
    assert (found.jobs_store, found.jobs_dir, found.jobs_max_bytes) == ("redis", None, GIB)
    assert config(with_jobs({"type": "Redis", "size": "2Gi"}, redis=redis)).jobs_max_bytes == 2 * GIB
    assert config(with_jobs()).jobs_store == "directory"


BUCKET: dict[str, Any] = {
    "bucket": "speech",
    "prefix": "whisper",
    "region": "eu-north-1",
    "endpoint": "https://minio.store:9000",
    "secretRef": {"name": "bucket-keys"},
}
REDIS: dict[str, Any] = {"secretKeyRef": {"name": "valkey", "key": "url"}}


def test_contents_in_a_bucket_need_no_volume_but_the_secret() -> None:
    of = with_jobs({"type": "S3", "s3": BUCKET, "size": "1Ti"}, redis=REDIS)
    found = config(of)
    assert (found.jobs_store, found.jobs_dir, found.jobs_max_bytes) == ("redis", None, 1024**4)
    assert (found.jobs_s3_bucket, found.jobs_s3_prefix, found.jobs_s3_region, found.jobs_s3_endpoint) == (
        "speech",
        "whisper",
        "eu-north-1",
        "https://minio.store:9000",
    )
    spec = template(of)["spec"]
    secret = {"secretName": "bucket-keys", "defaultMode": 0o440, "optional": True}
    assert {"name": "job-bucket", "secret": secret} in spec["volumes"]
    mount = {"name": "job-bucket", "mountPath": found.jobs_s3_credentials_dir, "readOnly": True}
    assert mount in container(spec, "server")["volumeMounts"]
    assert "job-store" not in [volume["name"] for volume in spec["volumes"]]


def test_a_bucket_without_a_secret_is_reached_as_the_pods_account() -> None:
    of = with_jobs({"type": "S3", "s3": {"bucket": "speech"}}, redis=REDIS)
    assert config(of).jobs_s3_credentials_dir is None
    assert config(of).jobs_max_bytes == RuntimeConfig().jobs_max_bytes
    assert "job-bucket" not in [volume["name"] for volume in template(of)["spec"]["volumes"]]


def test_contents_on_a_claim_of_many_nodes_have_their_order_in_the_store() -> None:
    of = with_jobs({"accessMode": "ReadWriteMany", "size": "20Gi"}, redis=REDIS, replicas=3)
    assert (config(of).jobs_store, config(of).jobs_dir) == ("redis", JOBS_DIR)
    assert claim_of_jobs(of)["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "affinity" not in template(of, claim_of_jobs(of))["spec"]
