"""Given a spec and the facts about a cluster, these findings: reason, remedy, and whether they hold the pods back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.objects import children, claim, deployment, fetched, node, observed, resolved, service
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.cli.check import table
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.preflight.checklist import PreflightResult
from whisper_operator.status.blocking import preflight_passed

GPU = {"gpu": {}, "cache": {"type": "EmptyDir"}}
CLASSES = {"fast": {"metadata": {"name": "fast"}}}
DEFAULT = {"metadata": {"name": "std", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
SOURCE = {"url": "https://models.example.com/mine.pt", "sha256": "a" * 64, "secretRef": {"name": "token"}}
PRIVATE = {"url": "https://models.example.com/mine.pt", "sha256": "a" * 64, "caRef": {"name": "ca", "key": "root.pem"}}
TLS = {"ingress": {"host": "a.example.com", "tls": {"secretName": "cert"}}}
RANGE = {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}}
FLOOR = {"metadata": {"name": "floor"}, "spec": {"limits": [{"type": "Container", "min": {"cpu": "2"}}]}}
QUOTA = {
    "metadata": {"name": "team"},
    "spec": {"hard": {"requests.nvidia.com/gpu": "2"}},
    "status": {"hard": {"requests.nvidia.com/gpu": "2"}, "used": {"requests.nvidia.com/gpu": "1"}},
}
OWN_CLIP = {
    "verification": {
        "audio": {"configMapKeyRef": {"name": "clips", "key": "hello.wav"}},
        "expect": {"text": "Hello there."},
    }
}
TAINT = {"key": "team", "value": "vision", "effect": "NoSchedule"}


def checked(of: WhisperService, there: Observed) -> PreflightResult:
    return resolved(of, there).preflight


def judgement(of: WhisperService, there: Observed) -> ConditionUpdate:
    return preflight_passed(resolved(of, there))


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        ({"auth": {"secretRef": {"name": "keys"}}}, {"secrets": {"keys": None}},
         "SecretNotFound", "Secret team/keys, named in spec.auth.secretRef, does not exist: create it", True),
        ({"auth": {"secretRef": {"name": "keys"}}}, {"secrets": {"keys": frozenset()}},
         "SecretEmpty", "is empty: fill it", True),
        ({"image": {"pullSecrets": [{"name": "pull"}]}}, {"secrets": {"pull": None}},
         "PullSecretInvalid", "kubectl create secret docker-registry", False),
        ({"image": {"pullSecrets": [{"name": "pull"}]}}, {"secrets": {"pull": frozenset({"password"})}},
         "PullSecretInvalid", "has no registry credentials", False),
        (TLS, {"secrets": {"cert": None}}, "TlsSecretInvalid", "kubectl create secret tls", False),
        (TLS, {"secrets": {"cert": frozenset({"tls.crt"})}}, "TlsSecretInvalid", "has no tls.key", False),
        ({"cache": {"existingClaim": "shared"}}, {"claims": {"shared": None}},
         "ClaimNotFound", "PersistentVolumeClaim team/shared", True),
        (OWN_CLIP, {"config_maps": {"clips": None}},
         "VerificationAudioInvalid", "ConfigMap team/clips, named in spec.verification.audio.configMapKeyRef", True),
        (OWN_CLIP, {"config_maps": {"clips": frozenset({"bye.wav"})}},
         "VerificationAudioInvalid", "ConfigMap team/clips has no key hello.wav", True),
        ({"cache": {"storageClassName": "gone"}}, {"storage_classes": CLASSES},
         "StorageClassNotFound", "does not exist: create it, or name one that exists (the cluster has fast)", True),
        ({}, {"storage_classes": CLASSES}, "StorageClassNotFound", "has no default StorageClass", True),
        ({"model": {"name": "large-v3"}, "cache": {"size": "1Gi"}}, {},
         "CacheTooSmall", "the checkpoint of large-v3 takes 2945Mi: write at least that", True),
        ({"networkPolicy": {}, "cache": {"type": "EmptyDir"}}, {},
         "FetchBlocked", "add the model's source to spec.networkPolicy.allowTo", True),
        ({"ingress": {"host": "a.example.com"}}, {"taken": {("a.example.com", "/"): "other/web"}},
         "HostTaken", "taken by Ingress other/web", False),
        ({"ingress": {}}, {"taken": {("", "/"): "other/web"}},
         "HostTaken", "spec.ingress without a host with path / is taken by Ingress other/web", False),
        ({"replicas": 2, "gpu": {}, "cache": {"accessMode": "ReadWriteOnce"}},
         {"nodes": (node(gpu="1"), node("b", gpu="1"))},
         "AccessModeTooNarrow", "is ReadWriteOnce, so all pods run on one node, and no node offers 2", True),
        (GPU, {"nodes": (node(),)}, "GpuNotFound", "no node offers nvidia.com/gpu", False),
        (GPU, {"nodes": (node(gpu="1", taints=(TAINT,)),)}, "GpuNotFound", "lets the pods run on none of them", False),
        (GPU | {"scheduling": {"nodeSelector": {"zone": "a"}}}, {"nodes": (node(gpu="1"),)},
         "GpuNotFound", "correct nodeSelector", False),
        (GPU | {"replicas": 3}, {"nodes": (node(gpu="1"), node("b", gpu="1"))},
         "InsufficientGpu", "3 nvidia.com/gpu are needed, and the nodes that the pods may run on have 2", False),
        (GPU | {"model": {"name": "large-v3"}}, {"nodes": (node(gpu="1", labels={"nvidia.com/gpu.memory": "4096"}),)},
         "GpuMemoryTooSmall", "large-v3 in float16 takes 6017Mi of GPU memory", False),
        ({"model": {"name": "large-v3"}}, {"nodes": (node(memory="4Gi"),)},
         "InsufficientMemory", "the largest node that it may run on has 4096Mi", False),
        ({"resources": {"requests": {"cpu": "16"}}}, {"nodes": (node(),)},
         "InsufficientCpu", "asks for 16 of cpu", False),
        (GPU | {"replicas": 2}, {"quotas": (QUOTA,)},
         "QuotaExceeded", "2 more pods need 2 of requests.nvidia.com/gpu, and ResourceQuota team leaves 1", False),
        ({}, {"limit_ranges": (RANGE,)}, "LimitRangeViolated", "more memory than LimitRange small allows", False),
        ({}, {"limit_ranges": (FLOOR,)}, "LimitRangeViolated", "less cpu than LimitRange floor allows", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    wanted = service(**spec)
    (found,) = checked(wanted, observed(**facts)).findings
    assert (found.reason, found.holds) == (reason, holds)
    assert says in found.message
    assert ("Deployment" in [one["kind"] for one in children(wanted, there(wanted, **facts))]) is not holds
    assert judgement(wanted, observed(**facts)).status == "False"


def there(wanted: Any, **facts: Any) -> Any:
    """A claim whose model is fetched, where the service has one of its own, among `facts`."""
    if wanted.spec.cache.type != "PersistentVolumeClaim" or wanted.spec.cache.existing_claim:
        return observed(**facts)
    its_claim = claim(service())
    if "storage_classes" in facts or wanted.spec.cache.access_mode:
        return observed(**facts)
    return observed(its_claim, fetched(wanted, its_claim), **facts)


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        (TLS, {"secrets": {"cert": None}}),
        (TLS, {"secrets": {"cert": frozenset({"tls.crt"})}}),
        ({"auth": {"secretRef": {"name": "keys"}}}, {"secrets": {"keys": frozenset()}}),
        ({"image": {"pullSecrets": [{"name": "pull"}]}}, {"secrets": {"pull": frozenset({"password"})}}),
        ({"model": {"name": "mine", "source": SOURCE}}, {"secrets": {"token": None}}),
        ({"cache": {"existingClaim": "shared"}}, {"claims": {"shared": None}}),
        (OWN_CLIP, {"config_maps": {"clips": None}}),
        ({"model": {"name": "mine", "source": PRIVATE}}, {"config_maps": {"ca": frozenset()}}),
        ({"model": {"name": "mine", "source": {"url": "pvc://weights/a.pt"}}}, {"claims": {"weights": None}}),
    ],
)
def test_what_no_watch_shows_is_looked_for_again_until_it_is_right(spec: dict[str, Any], facts: dict[str, Any]) -> None:
    assert checked(service(**spec), observed(**facts)).lacks_lookup
    assert not checked(service(), observed()).lacks_lookup


def test_all_that_is_wrong_is_told_at_once_and_what_holds_comes_first() -> None:
    wanted = service(auth={"secretRef": {"name": "keys"}}, **GPU)
    told = judgement(wanted, observed(secrets={"keys": None}, nodes=(node(),)))
    assert told.reason == "SecretNotFound"
    assert "no node offers nvidia.com/gpu" in told.message


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        (GPU, {"nodes": (node(gpu="1", taints=({"key": "nvidia.com/gpu", "effect": "NoSchedule"},)),)}),
        (GPU | {"scheduling": {"tolerations": [{"operator": "Exists"}]}}, {"nodes": (node(gpu="1", taints=(TAINT,)),)}),
        (GPU, {"nodes": None}),
        ({}, {"storage_classes": {"std": DEFAULT}}),
        (
            {
                "networkPolicy": {},
                "cache": {"type": "EmptyDir"},
                "model": {"name": "m", "source": {"url": "pvc://c/m.pt"}},
            },
            {},
        ),
        (GPU | {"suspend": True}, {"nodes": (node(),), "quotas": (QUOTA,)}),
        (TLS, {"secrets": {"cert": frozenset({"tls.crt", "tls.key"})}}),
    ],
)
def test_what_is_right_passes(spec: dict[str, Any], facts: dict[str, Any]) -> None:
    assert judgement(service(**spec), observed(**facts)).status == "True"


def test_what_runs_has_shown_that_it_fits() -> None:
    """Given a service that runs, when its GPU node is cordoned or the quota is used up by itself, it still passes."""
    wanted = service(**GPU)
    running = deployment(wanted)
    assert checked(wanted, observed(running, nodes=(node(),), quotas=(QUOTA,))).findings == []


def test_what_cannot_be_read_is_said() -> None:
    assert "only namespaces may be read" in judgement(service(), observed()).message


def test_the_checklist_has_a_line_for_each_check() -> None:
    wanted = service(auth={"secretRef": {"name": "keys"}}, cache={"type": "EmptyDir"})
    lines = list(table("speech", checked(wanted, observed(secrets={"keys": None})).checks))
    assert lines[0] == "WhisperService speech"
    assert lines[1].startswith(
        "  wrong   api keys          Secret team/keys, named in spec.auth.secretRef, does not exist"
    )
    assert "  unknown gpu there         only namespaces may be read" in lines
    assert "  ok      quota" in lines
