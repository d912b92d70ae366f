"""What the caches of checkpoints hold, as a pod that mounts each reports it, and who uses each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kubectl_whisper.kube_api import SERVICE_LABEL, Failure, KubeApi
from whisper_runtime.contract.models import OFFICIAL_MODELS, checkpoint_path
from whisper_runtime.contract.network import CACHE_PATH

VOLUME: Final = "models"
"""Name of the volume in which a pod has its checkpoints."""


@dataclass(frozen=True)
class ModelRow:
    namespace: str
    claim: str
    """Of checkpoints; a pod's name where it has them in a directory of its own."""
    file: str
    size: str
    used_by: str
    """Services that serve it, want it, or name it in their spec; empty: none of the namespace."""
    why: str
    """Why nothing is known of the claim; empty: it was read."""


@dataclass(frozen=True)
class Cache:
    """One volume of checkpoints, and a pod to ask for what it holds."""

    name: str
    pod: Mapping[str, Any]
    services: frozenset[str]

    @property
    def claim(self) -> str:
        """Empty where the checkpoints are in a directory of the pod, or in an image."""
        return _claim_of(self.pod)


def model_rows(api: KubeApi, *, everywhere: bool) -> list[ModelRow]:
    """Rows by cache; a service without a pod has one that says so. Raises Failure."""
    services = list(api.whisper_services(everywhere=everywhere))
    caches = list(caches_of(api.server_pods(everywhere=everywhere)))
    rows = [row for cache in caches for row in _rows_of(api, cache, services)]
    seen = {(one.pod["metadata"]["namespace"], name) for one in caches for name in one.services}
    return [*rows, *(_without_pod(one) for one in services if _key(one) not in seen)]


def caches_of(pods: Iterable[Mapping[str, Any]]) -> Iterator[Cache]:
    """Each volume of checkpoints that a pod mounts, once; of its pods one that is ready comes first."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for pod in pods:
        if name := _volume_of(pod):
            found.setdefault((pod["metadata"]["namespace"], name), []).append(pod)
    for (_, name), sharing in sorted(found.items()):
        services = frozenset(pod["metadata"]["labels"][SERVICE_LABEL] for pod in sharing)
        yield Cache(name, max(sharing, key=_is_ready), services)


def used_files(service: Mapping[str, Any]) -> frozenset[str]:
    """Names of the files that a service serves, is to serve, or names in its spec.

    The name of a model whose digest is in none of these is known by its beginning alone: `NAME-`.
    """
    spec, status = service["spec"], service.get("status", {})
    encoder, telling = spec.get("diarization", {}).get("model", {}), status.get("diarization", {})
    pairs = [*_pairs(spec["model"], status.get("model", {})), *_pairs(encoder, telling)]
    return frozenset(_file(name, (digest or "").removeprefix("sha256:")) for name, digest in pairs if name)


def _pairs(asked: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    """Name and digest of a checkpoint, by the spec's part about it and by the status's."""
    yield asked.get("name"), asked.get("source", {}).get("sha256")
    yield told.get("name"), told.get("digest")
    yield told.get("wanted"), told.get("wantedDigest")


def files_in(api: KubeApi, cache: Cache) -> Mapping[str, int]:
    """Size in bytes of each checkpoint in the cache, by its name; raises Failure where its pod does not tell."""
    return api.report_of(cache.pod, CACHE_PATH)["files"]


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def is_used(file: str, used: Iterable[str]) -> bool:
    return any(file == one or (one.endswith("-") and file.startswith(one)) for one in used)


def _file(name: str, digest: str) -> str:
    if not digest and name not in OFFICIAL_MODELS:
        return f"{name}-"
    return checkpoint_path("", name, digest or None).removeprefix("/")


def _rows_of(api: KubeApi, cache: Cache, services: Sequence[Mapping[str, Any]]) -> Iterator[ModelRow]:
    namespace = cache.pod["metadata"]["namespace"]
    try:
        files = files_in(api, cache)
    except Failure as failure:
        yield ModelRow(namespace, cache.name, "", "", "", f"pod {cache.pod['metadata']['name']}: {failure}")
        return
    # Those without a pod may have the same claim: every service of the namespace counts.
    near = [one for one in services if one["metadata"]["namespace"] == namespace]
    for file, size in files.items():
        users = sorted(one["metadata"]["name"] for one in near if is_used(file, used_files(one)))
        yield ModelRow(namespace, cache.name, file, megabytes(size), ", ".join(users), "")


def _without_pod(service: Mapping[str, Any]) -> ModelRow:
    namespace, name = _key(service)
    return ModelRow(namespace, "", "", "", name, "no pod of it serves, and a claim is read through one alone")


def _key(service: Mapping[str, Any]) -> tuple[str, str]:
    return service["metadata"]["namespace"], service["metadata"]["name"]


def _volume_of(pod: Mapping[str, Any]) -> str:
    """The claim that the pod's checkpoints are in, or the pod's name; empty where its image has the model."""
    return _claim_of(pod) or (pod["metadata"]["name"] if _has_volume(pod) else "")


def _claim_of(pod: Mapping[str, Any]) -> str:
    for volume in pod["spec"].get("volumes", ()):
        if volume["name"] == VOLUME:
            return volume.get("persistentVolumeClaim", {}).get("claimName", "")
    return ""


def _has_volume(pod: Mapping[str, Any]) -> bool:
    return any(volume["name"] == VOLUME for volume in pod["spec"].get("volumes", ()))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return any(
        one["type"] == "Ready" and one["status"] == "True" for one in pod.get("status", {}).get("conditions", ())
    )
