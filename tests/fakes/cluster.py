"""An API server in memory: the requests that a pass makes, each remembered; and its controllers, played once."""

from __future__ import annotations

import copy
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Protocol

from whisper_operator.api.v1alpha1 import Manifest

PAGE = 100


class HasNames(Protocol):
    """A kind of the API, as far as requests are told apart by it."""

    @property
    def kind(self) -> str: ...


class FakeCluster:
    """Stands for `Cluster`, whose objects are `objects` by kind, namespace and name."""

    is_dry = False

    def __init__(
        self,
        *bodies: Manifest,
        secrets: Mapping[str, Iterable[str]] | None = None,
        refusals: Mapping[str, Exception] | None = None,
    ) -> None:
        """`secrets`: the keys of those that are there; `refusals`: by kind, the errors that its writes end with."""
        self._refusals = dict(refusals or {})
        self._versions = itertools.count(1)
        self.objects: dict[tuple[str, str, str], Manifest] = {}
        self.secrets = {name: frozenset(keys) for name, keys in (secrets or {}).items()}
        """Keys of each Secret that is there, in whichever namespace."""
        self.requests: list[tuple[str, str, str]] = []
        """Verb, kind and name of each request."""
        self.unreadable: dict[str, Exception] = {}
        """By kind, the errors that its lists end with."""
        self.applied: list[Manifest] = []
        """The body of each apply."""
        for body in bodies:
            self.put(body)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Kind and name of what was written, in order; Events left out."""
        reads = ("get", "list")
        return [(kind, name) for verb, kind, name in self.requests if verb not in reads and kind != "Event"]

    def put(self, body: Manifest, **beside: Any) -> Manifest:
        """Stores `body` as the API server would: with a version, and with a uid and a generation where it has none."""
        metadata = {"uid": f"uid-{body['kind']}-{body['metadata']['name']}", "generation": 1, **body["metadata"]}
        stored = {**body, **beside, "metadata": {**metadata, "resourceVersion": str(next(self._versions))}}
        self.objects[_key(stored)] = stored
        return copy.deepcopy(stored)

    async def get(self, kind: HasNames, namespace: str, name: str) -> Manifest | None:
        self.requests.append(("get", kind.kind, name))
        return copy.deepcopy(self.objects.get((kind.kind, namespace, name)))

    async def apply(self, kind: HasNames, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        self._write(f"apply {subresource}".rstrip(), kind, manifest)
        self.applied.append(manifest)
        before = self.objects.get(_key(manifest), {})
        after = {**before, "status": manifest["status"]} if subresource else _merged(before, manifest)
        metadata = {**before.get("metadata", {}), **manifest["metadata"]}
        metadata.pop("resourceVersion", None)
        return self.put({**after, "metadata": before["metadata"] if subresource and before else metadata})

    async def merge(self, kind: HasNames, manifest: Manifest) -> Manifest:
        self._write("merge", kind, manifest)
        before = self.objects[kind.kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"]]
        labels = {**before["metadata"].get("labels", {}), **manifest["metadata"].get("labels", {})}
        return self.put({**before, **manifest, "metadata": {**before["metadata"], "labels": labels}})

    async def scale(self, kind: HasNames, live: Manifest, replicas: int) -> None:
        self._write("scale", kind, live)
        before = self.objects[_key(live)]
        self.put({**before, "spec": {**before["spec"], "replicas": replicas}})

    async def create(self, kind: HasNames, manifest: Manifest) -> Manifest:
        self._write("create", kind, manifest)
        return self.put(manifest)

    async def delete(self, kind: HasNames, live: Manifest) -> None:
        self._write("delete", kind, live)
        self.objects.pop(_key(live), None)

    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        self.requests.append(("get", "Secret", name))
        return self.secrets.get(name)

    async def config_map_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        self.requests.append(("get", "ConfigMap", name))
        return None

    async def pages(
        self, kind: HasNames, namespace: str | None, selector: str = "", accept: str = ""
    ) -> AsyncIterator[tuple[list[Manifest], int]]:
        self.requests.append(("list", kind.kind, namespace or ""))
        if error := self.unreadable.get(kind.kind):
            raise error
        lacks = selector.removeprefix("!") if selector.startswith("!") else None
        of_kind = [
            body
            for (of, _, _), body in self.objects.items()
            if of == kind.kind and not (lacks and lacks in body["metadata"].get("labels", {}))
        ]
        found = [body for body in of_kind if namespace in (None, body["metadata"].get("namespace"))]
        for start in range(0, max(1, len(found)), PAGE):
            yield copy.deepcopy(found[start : start + PAGE]), next(self._versions)

    async def list(self, kind: HasNames, namespace: str | None, selector: str = "") -> list[Manifest]:
        return [item async for page, _ in self.pages(kind, namespace, selector) for item in page]

    async def event_reasons(self, namespace: str, uid: str) -> frozenset[str]:
        self.requests.append(("list", "Event", namespace))
        about = (body for (of, where, _), body in self.objects.items() if (of, where) == ("Event", namespace))
        return frozenset(body["reason"] for body in about if body["involvedObject"]["uid"] == uid)

    def _write(self, verb: str, kind: HasNames, body: Manifest) -> None:
        self.requests.append((verb, kind.kind, body["metadata"]["name"]))
        if refusal := self._refusals.get(kind.kind):
            raise refusal

    def play_controllers(self) -> None:
        """Brings each object to where Kubernetes' controllers would: claims bound, Jobs complete, pods ready."""
        for body in list(self.objects.values()):
            if (play := CONTROLLERS.get(body["kind"])) and not body.get("status"):
                self.put(body, status=play(body))


def _claim(body: Manifest) -> Manifest:
    return {"phase": "Bound"}


def _job(body: Manifest) -> Manifest:
    return {"conditions": [{"type": "Complete", "status": "True"}]}


def _deployment(body: Manifest) -> Manifest:
    count = body["spec"].get("replicas", 1)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
    return {"observedGeneration": body["metadata"]["generation"], **counts}


def _ingress(body: Manifest) -> Manifest:
    return {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}


def _http_route(body: Manifest) -> Manifest:
    return {"parents": [{"conditions": [{"type": kind, "status": "True"} for kind in ("Accepted", "ResolvedRefs")]}]}


def _scaled_object(body: Manifest) -> Manifest:
    return {"conditions": [{"type": "Ready", "status": "True", "reason": "ScaledObjectReady"}]}


CONTROLLERS = {
    "PersistentVolumeClaim": _claim,
    "Job": _job,
    "Deployment": _deployment,
    "Ingress": _ingress,
    "HTTPRoute": _http_route,
    "ScaledObject": _scaled_object,
}


def _merged(before: Manifest, manifest: Manifest) -> Manifest:
    """What the object is after an apply: fields of the spec that `manifest` does not name stay."""
    spec = {"spec": {**before.get("spec", {}), **manifest["spec"]}} if "spec" in manifest else {}
    return {**before, **manifest, **spec}


def _key(body: Manifest) -> tuple[str, str, str]:
    return body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]
