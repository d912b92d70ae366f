"""Puts into one archive what somebody needs who is to help from afar, and nothing that is secret.

No Secret and no ConfigMap is read. What the user may not read is named in `left-out.txt`, and costs nothing else.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from kubectl_whisper.kube_api import SERVICE_LABEL, Failure, KubeApi, path_of
from kubectl_whisper.status import row
from kubectl_whisper.upkeep.logs import LogSource, log_path, sources
from kubectl_whisper.upkeep.redact import redacted, scrubbed
from whisper_operator.objects.kinds import CHILD_KINDS, POD, WHISPER_SERVICE
from whisper_runtime.contract.network import METRICS_PATH, METRICS_PORT

OPERATOR: Final = "app.kubernetes.io/name=whisper-operator"
OPERATOR_PORT: Final = 8080
"""Of its metrics, where its pod does not name another."""
MOST_OBJECTS: Final = 500
"""Of one kind."""
MOST_RUNS: Final = 64
"""Containers whose logs are read, and whose last run's are."""
MOST_PODS: Final = 32
"""Whose metrics are read."""
MOST_LINES: Final = 5_000
MOST_BYTES: Final = 2 * 1024 * 1024
"""Of one log, and of the metrics of one pod."""
ABOUT: Final = """What `kubectl whisper support-bundle` wrote: services, what the operator made of them, pods, events,
logs and metrics of one namespace, and pods, logs and metrics of the operator.

Secrets and ConfigMaps were not read. Values of annotations, labels, variables and arguments that neither the operator
nor Kubernetes wrote are [removed], and so is what looks like a secret anywhere else. No log has words of recordings in
it. Look through it before you give it away: names of services, hosts and models are there.
"""


@dataclass(frozen=True)
class BundleFile:
    path: str
    text: str


@dataclass(frozen=True)
class BundleScope:
    services: frozenset[str]
    """Names of those in the namespace; empty: all."""
    operator_namespace: str

    def has(self, labels: Mapping[str, str]) -> bool:
        return not self.services or labels.get(SERVICE_LABEL) in self.services


def bundle_files(api: KubeApi, scope: BundleScope) -> Iterator[BundleFile]:
    """Each file of the archive; the last one names what could not be read, and why."""
    left_out: list[str] = []

    def attempt(part: str, read: Callable[[], Iterable[BundleFile]]) -> Iterator[BundleFile]:
        try:
            yield from read()
        except (Failure, httpx.HTTPError) as error:
            left_out.append(f"{part}: {error or type(error).__name__}")

    yield BundleFile("README.txt", ABOUT)
    yield from attempt("version", lambda: [_versions(api)])
    yield from attempt("services", lambda: _services(api, scope))
    for kind in CHILD_KINDS:
        of_kind = path_of(kind.api_version, kind.plural, api.namespace)
        yield from attempt(kind.plural, lambda at=of_kind, name=kind.plural: [_objects(api, scope, at, name)])
    yield from attempt("events", lambda: [_events(api, scope)])
    pods = path_of(POD.api_version, POD.plural, api.namespace)
    yield from attempt("pods", lambda: _of_pods(api, _ours(api, scope, pods), "", METRICS_PORT, attempt))
    yield from attempt("operator", lambda: _of_operator(api, scope, attempt))
    yield BundleFile("left-out.txt", scrubbed("".join(f"{line}\n" for line in left_out)))


def write(file: Path, found: Iterable[BundleFile]) -> list[str]:
    """Writes the archive, which only its owner may read, and which must not be there; returns the paths in it.

    Raises Failure where it cannot be written.
    """
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from None
    folder, paths = file.name.split(".")[0], list[str]()
    with os.fdopen(opened, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for one in found:
            content = one.text.encode()
            entry = tarfile.TarInfo(f"{folder}/{one.path}")
            entry.size, entry.mode, entry.mtime = len(content), 0o600, time.time()
            archive.addfile(entry, io.BytesIO(content))
            paths.append(one.path)
    return paths


ReadAttempt = Callable[[str, Callable[[], Iterable[BundleFile]]], Iterator[BundleFile]]


def _versions(api: KubeApi) -> BundleFile:
    try:
        own = version("whisper-operator")
    except PackageNotFoundError:
        own = "of a checkout"
    found = {"plugin": own, "kubernetes": api.get("/version").get("gitVersion")}
    return BundleFile("version.json", json.dumps(found, indent=2) + "\n")


def _services(api: KubeApi, scope: BundleScope) -> Iterator[BundleFile]:
    found = [one for one in api.whisper_services() if not scope.services or one["metadata"]["name"] in scope.services]
    yield BundleFile("status.yaml", _as_yaml([asdict(row(one)) for one in found]))
    yield BundleFile(f"{WHISPER_SERVICE.plural}.yaml", _as_yaml(found))


def _objects(api: KubeApi, scope: BundleScope, path: str, name: str) -> BundleFile:
    return BundleFile(f"{name}.yaml", _as_yaml(_ours(api, scope, path)))


def _ours(api: KubeApi, scope: BundleScope, path: str) -> list[dict[str, Any]]:
    every = api.listed(path, {"labelSelector": SERVICE_LABEL})
    return list(islice((one for one in every if scope.has(one["metadata"]["labels"])), MOST_OBJECTS))


def _events(api: KubeApi, scope: BundleScope) -> BundleFile:
    """Of the services themselves, and of what is named after them."""
    names = scope.services or {one["metadata"]["name"] for one in api.whisper_services()}
    every = api.listed(path_of("v1", "events", api.namespace))
    ours = (one for one in every if _is_about(one["involvedObject"].get("name", ""), names))
    return BundleFile("events.yaml", _as_yaml(list(islice(ours, MOST_OBJECTS))))


def _is_about(name: str, services: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}-") for one in services)


def _of_operator(api: KubeApi, scope: BundleScope, attempt: ReadAttempt) -> Iterator[BundleFile]:
    every = api.listed(path_of("v1", "pods", scope.operator_namespace), {"labelSelector": OPERATOR})
    found = list(islice(every, MOST_PODS))
    if not found:
        raise Failure(f"namespace {scope.operator_namespace} has no pod of it: name another by --operator-namespace")
    port = found[0]["metadata"].get("annotations", {}).get("prometheus.io/port", "")
    yield from _of_pods(api, found, "operator/", int(port) if port.isdigit() else OPERATOR_PORT, attempt)


def _of_pods(
    api: KubeApi, pods: list[dict[str, Any]], folder: str, port: int, attempt: ReadAttempt
) -> Iterator[BundleFile]:
    """Their manifests, logs, and what they measure."""
    yield BundleFile(f"{folder}pods.yaml", _as_yaml(pods))
    running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
    for pod in running[:MOST_PODS]:
        name = pod["metadata"]["name"]
        url = api.pod_url(pod, METRICS_PATH, port)
        file = f"{folder}metrics/{name}.txt"
        yield from attempt(file, lambda url=url, file=file: [BundleFile(file, _text(api, url, {}))])
    for source in sources(iter(pods))[:MOST_RUNS]:
        yield from _logs_of(api, source, folder, pods[0]["metadata"]["namespace"], attempt)


def _logs_of(
    api: KubeApi, source: LogSource, folder: str, namespace: str, attempt: ReadAttempt
) -> Iterator[BundleFile]:
    runs = {"": {}, ".previous": {"previous": "true"}} if source.run else {"": dict[str, str]()}
    for suffix, asked in runs.items():
        file = f"{folder}logs/{source.pod}/{source.container}{suffix}.log"
        bounds = {"container": source.container, "tailLines": str(MOST_LINES), "limitBytes": str(MOST_BYTES)}
        path = log_path(namespace, source.pod)
        yield from attempt(file, lambda p=path, f=file, a={**bounds, **asked}: [BundleFile(f, _text(api, p, a))])


def _text(api: KubeApi, path: str, parameters: Mapping[str, str]) -> str:
    """The answer's text as far as MOST_BYTES, scrubbed; raises Failure, and httpx.HTTPError."""
    content = bytearray()
    with api.streamed(path, parameters) as response:
        for block in response.iter_bytes():
            content += block
            if len(content) >= MOST_BYTES:
                break
    return scrubbed(bytes(content[:MOST_BYTES]).decode(errors="replace"))


def _as_yaml(objects: list[dict[str, Any]]) -> str:
    return yaml.safe_dump([redacted(one) for one in objects], sort_keys=False, allow_unicode=True)
