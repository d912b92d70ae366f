"""The lines that a service's pods log, pod after pod, or as they come."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from kubectl_whisper.kube_api import Failure, KubeApi, path_of

MOST_CONTAINERS: Final = 64
"""Whose logs are read; each that is followed costs the API server a connection."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one container's log, where it is not followed."""
LONGEST_LINE: Final = 16 * 1024
"""Characters that are shown; container runtimes cut lines there, too."""
LOOK_SECONDS: Final = 2.0
"""Until pods that are new are looked for."""
CONTROL: Final = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(9), *range(10, 32), *range(127, 160))}
"""Characters by which a line would do something to the terminal that shows it; a tab does nothing."""


@dataclass(frozen=True)
class LogRequest:
    service: str
    component: str
    """server, front, prefetch or verify; empty: each."""
    tail: int
    """Last lines of each container that come first."""
    follow: bool = False
    """Whether lines go on coming, those of new pods included."""
    previous: bool = False
    """Whether they are those of each container's last run, which has ended."""


@dataclass(frozen=True)
class LogSource:
    """One run of a container."""

    pod: str
    uid: str
    container: str
    run: int
    """How often the container had been started again."""


@dataclass(frozen=True)
class LogLine:
    source: LogSource
    text: str
    is_notice: bool = False
    """Whether it says why there is nothing to show, instead of what the pod logged."""


def read_logs(api: KubeApi, wanted: LogRequest) -> Iterator[LogLine]:
    """Lines of each container, one container after the other, or for ever as they come; raises Failure."""
    if wanted.follow:
        yield from _followed(api, wanted)
        return
    found = sources(api.children("v1", "pods", wanted.service, wanted.component))
    if not found:
        raise Failure(f"{wanted.service} has no pod{f' of component {wanted.component}' if wanted.component else ''}")
    for source in found[:MOST_CONTAINERS]:
        try:
            yield from _lines(api, source, parameters(wanted, source))
        except Failure as failure:
            yield LogLine(source, str(failure), is_notice=True)
    for source in found[MOST_CONTAINERS:]:
        yield LogLine(source, f"not read: {MOST_CONTAINERS} containers are read at most", is_notice=True)


def sources(pods: Iterator[Mapping[str, Any]]) -> Sequence[LogSource]:
    """Each run of a container that is there to be read, by pod; init containers come first."""
    found: list[LogSource] = []
    for pod in pods:
        for statuses in ("initContainerStatuses", "containerStatuses"):
            for one in pod.get("status", {}).get(statuses, ()):
                if "waiting" not in one.get("state", {}) or one.get("restartCount"):
                    metadata = pod["metadata"]
                    found.append(LogSource(metadata["name"], metadata["uid"], one["name"], one.get("restartCount", 0)))
    return found


def parameters(wanted: LogRequest, source: LogSource) -> dict[str, str]:
    """What the API server is asked for.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#read-pod-v1-core
    """
    shared = {"container": source.container, "tailLines": str(wanted.tail)}
    if wanted.follow:
        return shared | {"follow": "true"}
    return shared | {"limitBytes": str(MOST_BYTES)} | ({"previous": "true"} if wanted.previous else {})


def log_path(namespace: str, pod: str) -> str:
    return f"{path_of('v1', 'pods', namespace)}/{quote(pod, safe='')}/log"


def _lines(api: KubeApi, source: LogSource, asked: Mapping[str, str]) -> Iterator[LogLine]:
    """Raises Failure."""
    try:
        with api.streamed(log_path(api.namespace, source.pod), asked) as response:
            for line in response.iter_lines():
                yield LogLine(source, line[:LONGEST_LINE].translate(CONTROL))
    except httpx.HTTPError as error:
        raise Failure(f"its log ended early: {error or type(error).__name__}") from None


def _followed(api: KubeApi, wanted: LogRequest) -> Iterator[LogLine]:
    """A thread reads each container; containers that are new, or were started again, are looked for meanwhile.

    The threads end with the process, or with their container.
    """
    lines: queue.Queue[LogLine] = queue.Queue(maxsize=1000)
    readers: dict[LogSource, threading.Thread] = {}
    while True:
        for source in sources(api.children("v1", "pods", wanted.service, wanted.component)):
            is_room = sum(one.is_alive() for one in readers.values()) < MOST_CONTAINERS
            if source not in readers and is_room:
                reader = threading.Thread(target=_follow, args=(api, wanted, source, lines), daemon=True)
                readers[source] = reader
                reader.start()
        look = time.monotonic() + LOOK_SECONDS
        while (left := look - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                yield lines.get(timeout=left)


def _follow(api: KubeApi, wanted: LogRequest, source: LogSource, lines: queue.Queue[LogLine]) -> None:
    try:
        for line in _lines(api, source, parameters(wanted, source)):
            lines.put(line)
    except Failure as failure:
        lines.put(LogLine(source, str(failure), is_notice=True))
