"""The newest facts about the cluster, fed by lists and watches: what preflight and rollouts ask for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from whisper_operator import pods
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.facts import Facts, Node, Warned, node
from whisper_operator.kinds import (
    CLAIM,
    CLUSTER_FACTS,
    EVENT,
    INGRESS,
    LIMIT_RANGE,
    NAMESPACE_FACTS,
    NODE,
    POD,
    QUOTA,
    STORAGE_CLASS,
    Kind,
)
from whisper_operator.store import DELETED

Place = tuple[str, str]
"""Namespace and name."""
Host = tuple[str, str]
"""Host and path."""

WARNINGS_KEPT: Final = 5000
"""Newest warnings that are remembered; a cluster writes them without end."""


class Survey:
    """One owner of the facts; None where only namespaces may be read."""

    def __init__(self, whole_cluster: bool) -> None:
        self._whole_cluster = whole_cluster
        self._nodes: dict[str, Node] = {}
        self._objects: dict[Kind, dict[Place, Manifest]] = {
            kind: {} for kind in (STORAGE_CLASS, QUOTA, LIMIT_RANGE, INGRESS)
        }
        self._holders: dict[Host, dict[Place, str]] = {}
        """The Ingresses of each host and path, and when they were made."""
        self._warnings: OrderedDict[tuple[str, str, str], Warned] = OrderedDict()
        """By namespace, kind and name."""

    def see(self, body: Manifest, event: str | None = None) -> str | None:
        """The namespace that something changed in, "" for the cluster; None where nothing of interest did."""
        kind = body["kind"]
        if kind == NODE.kind:
            return "" if self._see_node(body, event) else None
        if kind == EVENT.kind:
            return self._see_warning(body, event)
        known = next((of for of in self._objects if of.kind == kind), None)
        if known is None:
            return None
        place = _place(body)
        before = self._objects[known].pop(place, None)
        if event != DELETED:
            self._objects[known][place] = _slim(body)
        after = self._objects[known].get(place)
        if known == INGRESS:
            self._move_hosts(place, before, after)
        return place[0] if before != after else None

    def replace(self, kind: Kind, namespace: str | None, listed: list[Manifest]) -> set[str]:
        """Takes a complete list in; the namespaces in which something changed."""
        there = {_place(body) for body in listed}
        gone = [
            {"kind": kind.kind, "metadata": {"namespace": place[0], "name": place[1]}}
            for place in self._places(kind)
            if place not in there and namespace in (None, place[0])
        ]
        changed = [*(self.see(body) for body in listed), *(self.see(body, DELETED) for body in gone)]
        return {where for where in changed if where is not None}

    def facts(self, service: WhisperService, now: float) -> Facts:
        """Everything that watches show, as the service sees it."""
        namespace, ingress = service.metadata.namespace, service.spec.ingress
        host = (ingress.host or "", ingress.path) if ingress else None
        holder = self._holder(host, (namespace, service.metadata.name)) if host else None
        classes = self._objects[STORAGE_CLASS]
        return Facts(
            now=now,
            nodes=tuple(self._nodes.values()) if self._whole_cluster else None,
            storage_classes={name: body for (_, name), body in classes.items()} if self._whole_cluster else None,
            quotas=tuple(self._in(QUOTA, namespace)),
            limit_ranges=tuple(self._in(LIMIT_RANGE, namespace)),
            taken={host: "/".join(holder)} if host and holder else {},
            warnings={key[1:]: warned for key, warned in self._warnings.items() if key[0] == namespace},
        )

    def _see_node(self, body: Manifest, event: str | None) -> bool:
        name = body["metadata"]["name"]
        before = self._nodes.pop(name, None)
        if event != DELETED:
            self._nodes[name] = node(body)
        return self._nodes.get(name) != before

    def _see_warning(self, body: Manifest, event: str | None) -> str | None:
        about = body["involvedObject"]
        if event == DELETED or body.get("type") != "Warning" or about.get("kind") not in (POD.kind, CLAIM.kind):
            return None
        key = (about.get("namespace", ""), about["kind"], about.get("name", ""))
        version = int(body["metadata"]["resourceVersion"])
        warned = Warned(about.get("uid", ""), body.get("reason", ""), body.get("message", ""), version)
        if about["kind"] == POD.kind and not _tells_more(warned, self._warnings.get(key)):
            return None
        self._warnings[key] = warned
        self._warnings.move_to_end(key)
        if len(self._warnings) > WARNINGS_KEPT:
            self._warnings.popitem(last=False)
        return None

    def _move_hosts(self, place: Place, before: Manifest | None, after: Manifest | None) -> None:
        for host in (before or {}).get("hosts", ()):
            self._holders.get(host, {}).pop(place, None)
        for host in (after or {}).get("hosts", ()):
            created = (after or {})["metadata"].get("creationTimestamp", "")
            self._holders.setdefault(host, {})[place] = created

    def _holder(self, host: Host, asks: Place) -> Place | None:
        """The Ingress that had the host first; None where it is the asking service's own, or nobody's."""
        there = self._holders.get(host)
        first = min(there, key=lambda place: (there[place], place)) if there else None
        return None if first == asks else first

    def _in(self, kind: Kind, namespace: str) -> Iterator[Manifest]:
        return (body for place, body in self._objects[kind].items() if place[0] == namespace)

    def _places(self, kind: Kind) -> list[Place]:
        return [("", name) for name in self._nodes] if kind == NODE else list(self._objects.get(kind, {}))


def fact_kinds(whole_cluster: bool) -> tuple[Kind, ...]:
    """What is watched beside the services and their children."""
    return (*(CLUSTER_FACTS if whole_cluster else ()), *NAMESPACE_FACTS)


def _tells_more(warned: Warned, known: Warned | None) -> bool:
    """Whether a Warning about a pod says what its status does not, and what is not known already."""
    if warned.reason not in pods.TELLING:
        return False
    if known is None or known.uid != warned.uid:
        return True
    return warned.version > known.version and not warned.message.startswith(pods.TIMED_OUT)


def _place(body: Manifest) -> Place:
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _slim(body: Manifest) -> Manifest:
    """What the checks ask of an object."""
    metadata = {
        field: body["metadata"][field]
        for field in ("name", "namespace", "annotations", "creationTimestamp")
        if field in body["metadata"]
    }
    if body["kind"] == INGRESS.kind:
        rules = body["spec"].get("rules") or ()
        paths = [(rule.get("host", ""), rule.get("http", {}).get("paths", ())) for rule in rules]
        hosts = [(host, one.get("path", "/")) for host, there in paths for one in there]
        return {"metadata": {"creationTimestamp": metadata.get("creationTimestamp", "")}, "hosts": hosts}
    fields = {field: body[field] for field in ("spec", "status", "allowVolumeExpansion") if field in body}
    return {"metadata": metadata, **fields}
