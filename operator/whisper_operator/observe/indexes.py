"""The newest facts about the cluster, fed by lists and watches: what preflight and rollouts ask for.

A fact that changes wakes the services that it may concern, and no others: a thousand services in one namespace would
else wake each other without end.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects.kinds import (
    CLAIM,
    CLUSTER_FACTS,
    EVENT,
    INGRESS,
    JOB,
    LIMIT_RANGE,
    NAMESPACE_FACTS,
    NODE,
    POD,
    QUOTA,
    STORAGE_CLASS,
    Kind,
)
from whisper_operator.observe import pod_status
from whisper_operator.observe.cache import DELETED, Key
from whisper_operator.observe.facts import Facts, Node, Warned, WayIn, node, way_in

Place = tuple[str, str]
"""Namespace and name."""

WARNINGS_KEPT: Final = 1000
"""Newest warnings that are remembered of a namespace; a cluster writes them without end."""


class Survey:
    """One owner of the facts; None where only namespaces may be read."""

    def __init__(self, whole_cluster: bool, unready: Callable[[], Iterable[Key]]) -> None:
        """`unready`: the services that are not Ready, which alone wait for a fact to change."""
        self._whole_cluster = whole_cluster
        self._unready = unready
        self._nodes: dict[Place, Node] = {}
        self._objects: dict[Kind, dict[Place, Manifest]] = {
            kind: {} for kind in (STORAGE_CLASS, QUOTA, LIMIT_RANGE, INGRESS)
        }
        self._versions: dict[Kind, dict[Place, int]] = {kind: {} for kind in (NODE, *self._objects)}
        """The newest that was seen of each object; of a deleted one too, until a list without it."""
        self._holders: dict[WayIn, dict[Place, tuple[str, str]]] = {}
        """The Ingresses of each way in, when they were made, and their class."""
        self._waiting: defaultdict[WayIn, set[Key]] = defaultdict(set)
        """The services that found theirs taken."""
        self._warnings: defaultdict[str, OrderedDict[tuple[str, str], Warned]] = defaultdict(OrderedDict)
        """By namespace, then by kind and name."""

    def see(self, body: Manifest, event: str | None = None) -> set[Key]:
        """The services that the change may concern; an older version, as a list may bring it, changes nothing."""
        if body["kind"] == EVENT.kind:
            self._see_warning(body, event)
            return set()
        kind = next((of for of in self._versions if of.kind == body["kind"]), None)
        if kind is None:
            return set()
        place, version = place_of(body), int(body["metadata"]["resourceVersion"])
        if version < self._versions[kind].get(place, 0):
            return set()
        self._versions[kind][place] = version
        return self._put(kind, place, None if event == DELETED else body)

    def forget_absent(self, kind: Kind, namespace: str | None, there: Collection[Place], version: int) -> set[Key]:
        """Forgets what a complete list of that version does not hold; the services that this may concern."""
        seen = self._versions.get(kind, {})
        gone = [
            place
            for place, newest in seen.items()
            if place not in there and namespace in (None, place[0]) and newest <= version
        ]
        for place in gone:
            del seen[place]
        return {key for place in gone for key in self._put(kind, place, None)}

    def facts(self, service: WhisperService, now: float) -> Facts:
        """Everything that watches show, as the service sees it."""
        namespace, way = service.metadata.namespace, way_in(service)
        key = (namespace, service.metadata.name)
        ingress = service.spec.ingress
        holder = self._holder(way, key, (ingress and ingress.class_name) or "") if way else None
        if way and holder:
            self._waiting[way].add(key)
        classes = self._objects[STORAGE_CLASS]
        return Facts(
            now=now,
            nodes=tuple(self._nodes.values()) if self._whole_cluster else None,
            storage_classes={name: body for (_, name), body in classes.items()} if self._whole_cluster else None,
            quotas=tuple(self._in(QUOTA, namespace)),
            limit_ranges=tuple(self._in(LIMIT_RANGE, namespace)),
            taken={way: "/".join(holder)} if way and holder else {},
            warnings=self._warnings.get(namespace, {}),
        )

    def _put(self, kind: Kind, place: Place, body: Manifest | None) -> set[Key]:
        """Takes an object in, or out; the services that this may concern."""
        if kind == NODE:
            return set(self._unready()) if self._put_node(place, body) else set()
        before = self._objects[kind].pop(place, None)
        after = _slim(body) if body else None
        if after:
            self._objects[kind][place] = after
        if kind == INGRESS:
            return self._move_hosts(place, before, after)
        return {key for key in self._unready() if place[0] in ("", key[0])} if before != after else set()

    def _put_node(self, place: Place, body: Manifest | None) -> bool:
        before = self._nodes.pop(place, None)
        if body:
            self._nodes[place] = node(body)
        return self._nodes.get(place) != before

    def _see_warning(self, body: Manifest, event: str | None) -> None:
        about = body["involvedObject"]
        if event == DELETED or body.get("type") != "Warning" or not _is_told(about.get("kind"), body.get("reason")):
            return
        there, key = self._warnings[about.get("namespace", "")], (about["kind"], about.get("name", ""))
        version = int(body["metadata"]["resourceVersion"])
        warned = Warned(about.get("uid", ""), body.get("reason", ""), body.get("message", ""), version)
        if about["kind"] == POD.kind and not _tells_more(warned, there.get(key)):
            return
        there[key] = warned
        there.move_to_end(key)
        if len(there) > WARNINGS_KEPT:
            there.popitem(last=False)

    def _move_hosts(self, place: Place, before: Manifest | None, after: Manifest | None) -> set[Key]:
        """Takes in which hosts an Ingress has, and its class; the services that waited for one that it has no more."""
        had, has = set((before or {}).get("ways", ())), set((after or {}).get("ways", ()))
        is_of_one_class = before and after and before["class"] == after["class"]
        for host in had - has:
            self._holders[host].pop(place, None)
            if not self._holders[host]:
                del self._holders[host]
        for host in has:
            created = (after or {})["metadata"].get("creationTimestamp", "")
            self._holders.setdefault(host, {})[place] = (created, (after or {})["class"])
        left = had - has if is_of_one_class else had
        return {key for host in left for key in self._waiting.pop(host, ())}

    def _holder(self, way: WayIn, asks: Place, class_name: str) -> Place | None:
        """The Ingress that had it first; None where that is the asking service's own, or nobody's.

        Two classes are two controllers, each with hosts of its own; an Ingress of no class may be any controller's.
        """
        there = self._holders.get(way, {})
        rivals = [place for place, (_, of) in there.items() if of == class_name or not (of and class_name)]
        first = min(rivals, key=lambda place: (there[place][0], place), default=None)
        return None if first == asks else first

    def _in(self, kind: Kind, namespace: str) -> Iterator[Manifest]:
        return (body for place, body in self._objects[kind].items() if place[0] == namespace)


def fact_kinds(whole_cluster: bool) -> tuple[Kind, ...]:
    """What is watched beside the services and their children."""
    return (*(CLUSTER_FACTS if whole_cluster else ()), *NAMESPACE_FACTS)


def _is_told(kind: str | None, reason: str | None) -> bool:
    """Whether a Warning may say what no object's status does; a Job's status says nothing of pods it may not create."""
    return kind in (POD.kind, CLAIM.kind) or (kind == JOB.kind and reason == pod_status.FAILED_CREATE)


def _tells_more(warned: Warned, known: Warned | None) -> bool:
    """Whether a Warning about a pod says what its status does not, and what is not known already."""
    if warned.reason not in pod_status.TELLING:
        return False
    if known is None or known.uid != warned.uid:
        return True
    return warned.version > known.version and not warned.message.startswith(pod_status.TIMED_OUT)


def place_of(body: Manifest) -> Place:
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
        ways = [(host, one.get("path", "/")) for host, there in paths for one in there]
        return {
            "metadata": {"creationTimestamp": metadata.get("creationTimestamp", "")},
            "class": body["spec"].get("ingressClassName", ""),
            "ways": ways,
        }
    kept = ("spec", "status", "allowVolumeExpansion", "volumeBindingMode")
    fields = {field: body[field] for field in kept if field in body}
    return {"metadata": metadata, **fields}
