"""The cache's record of each object: compact JSON where a pass reads it whole, a small record where it asks little.

JSON takes a tenth of what the same object takes as dictionaries; a pass decodes the objects of its own service.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from whisper_operator.api.v1alpha1 import KIND, Manifest
from whisper_operator.objects import names
from whisper_operator.objects.field_owners import edits_spec, image_editors
from whisper_operator.objects.kinds import (
    CHILD_KINDS,
    CLAIM,
    DEPLOYMENT,
    DEVICE_CLASS,
    INGRESS,
    LIMIT_RANGE,
    NODE,
    POD,
    QUOTA,
    RESOURCE_SLICE,
    STORAGE_CLASS,
    WATCHED_BY_LABEL,
)
from whisper_operator.objects.manifest import annotations_of, container_of, controller_of, images_of, labels_of
from whisper_operator.observe.devices import DeviceClass, DeviceSlice, device_class, device_slice
from whisper_operator.observe.facts import Node, node
from whisper_operator.observe.hosts import HostPath, is_canary, ways

Key = tuple[str, str]
"""Namespace and name of a WhisperService."""


class ObjectId(NamedTuple):
    """Kind, namespace and name of an object; `namespace` is empty for one of the whole cluster."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """The changes of the cluster that wake a WhisperService."""

    is_settled: bool
    """Ready, neither Reconciling nor Stalled, and past preflight: no fact about the cluster can mend it."""
    claims: tuple[HostPath, ...]
    """The hosts and paths that its spec asks for; none without an Ingress."""


@dataclass(frozen=True, slots=True)
class IngressRecord:
    """The hosts that an Ingress has, whoever owns it; a canary has none."""

    created: str
    class_name: str
    """Empty where it names no class."""
    holds: tuple[HostPath, ...]


Record = ServiceRecord | IngressRecord | Node | DeviceSlice | DeviceClass | Manifest | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an object, as the cache keeps it."""

    uid: str
    version: int
    """Its resourceVersion: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions"""
    owner: Key | None
    """The service that it is or belongs to; None for what is watched as a fact alone."""
    json: bytes
    """The object, less what no pass reads of it; empty without an owner."""
    record: Record
    is_out_of_sight: bool = False
    """Whether no watch shows it."""
    has_expired: bool = False
    """Whether it is a Job that its time to live has ended, as it was at its end."""

    @property
    def body(self) -> Manifest:
        return orjson.loads(self.json)


def id_of(body: Manifest) -> ObjectId:
    # Nine objects of a service share its two names: interned, they are kept once.
    metadata = body["metadata"]
    return ObjectId(sys.intern(body["kind"]), sys.intern(metadata.get("namespace", "")), sys.intern(metadata["name"]))


def entry_of(body: Manifest, asking: Key | None = None) -> Entry | None:
    """Returns the entry to keep for `body`; None where it belongs to no service and is no fact either.

    `asking`: the service whose pass knows it for its own, where its metadata does not say so.
    """
    metadata, owner, record_of = body["metadata"], _owner(body) or asking, RECORDS.get(body["kind"])
    if owner is None and record_of is None:
        return None
    return Entry(
        metadata["uid"],
        int(metadata["resourceVersion"]),
        owner,
        _compact(_kept_of(body)) if owner else b"",
        record_of(body) if record_of else None,
        is_out_of_sight(body),
    )


def is_out_of_sight(body: Manifest) -> bool:
    """Whether no watch and no list shows the object, for it lacks the label that they select by."""
    return body["kind"] in LABELLED and names.LABEL_SERVICE not in labels_of(body)


def controlling_service(body: Manifest) -> str | None:
    """Name of the WhisperService that controls the object, whatever labels it has; None where none does.

    Pods are controlled by what made them: of those the label tells.
    """
    controller = controller_of(body)
    return controller["name"] if controller and controller["kind"] == KIND else None


def _owner(body: Manifest) -> Key | None:
    at = id_of(body)
    if at.kind == KIND:
        return at.namespace, at.name
    service = controlling_service(body) or labels_of(body).get(names.LABEL_SERVICE)
    return (at.namespace, sys.intern(service)) if service else None


def _compact(body: Manifest) -> bytes:
    """`body` as JSON in a buffer of its own length.

    orjson 3.13.0 grows its buffer by doubling and returns it unshrunk: 908 bytes hold on to 8 KiB for as long as they
    are kept, and 13,500 children of 1,500 services took 79 MiB.
    """
    return memoryview(orjson.dumps(body)).tobytes()


def _kept_of(body: Manifest) -> Manifest:
    """`body` without what no pass reads: field managers, the bulk of it, and nearly all of a pod's spec.

    Of a Deployment, the managers of its number of replicas and of its containers' images stay.
    """
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    if body["kind"] != POD.kind and (managers := _kept_managers(body)):
        metadata["managedFields"] = managers
    if body["kind"] == POD.kind:
        edits = image_editors(body)
        # Most pods have none, and there may be thousands.
        metadata.update({"managedFields": body["metadata"]["managedFields"]} if edits else {})
        return {**body, "metadata": metadata, "spec": _node_and_model(body.get("spec", {}), edits)}
    return {**body, "metadata": metadata}


def _node_and_model(spec: dict[str, Any], edited: Collection[str]) -> dict[str, Any]:
    """A pod's node, the server's environment, which names the model, and the images of the `edited` containers."""
    server = container_of(spec, names.SERVER)
    environment = [{"name": names.SERVER, "env": server.get("env", [])}] if server else []
    node_name = {"nodeName": spec["nodeName"]} if "nodeName" in spec else {}
    if not edited:
        return {**node_name, "containers": environment}
    images = {name: image for name, image in images_of({"spec": spec}).items() if name in edited}
    return {**node_name, "containers": [*environment, *({"name": name, "image": images[name]} for name in images)]}


def _kept_managers(body: Manifest) -> list[Manifest]:
    """The field managers that a pass asks for: who edited the spec, and those of a Deployment's replicas and images.

    At rest nobody has edited a child, so that none but a Deployment's are kept.
    """
    found: list[Manifest] = body["metadata"].get("managedFields", [])
    if body["kind"] == DEPLOYMENT.kind:
        asked = (one if edits_spec(one) else _of_what_is_asked(one) for one in found)
        # No fields at all would mean every field.
        return [one for one in asked if one["fieldsV1"]]
    return [one for one in found if edits_spec(one)] if body["kind"] in EDITED_KINDS else []


def _of_what_is_asked(entry: dict[str, Any]) -> dict[str, Any]:
    """A field manager, with the fields that a pass asks for."""
    spec = entry.get("fieldsV1", {}).get("f:spec", {})
    template = spec.get("f:template", {}).get("f:spec", {})
    images = {part: found for part in CONTAINER_FIELDS if (found := _images(template.get(part, {})))}
    replicas: dict[str, Any] = {"f:replicas": {}} if "f:replicas" in spec else {}
    kept = replicas | ({"f:template": {"f:spec": images}} if images else {})
    return {**entry, "fieldsV1": {"f:spec": kept} if kept else {}}


def _images(containers: dict[str, Any]) -> dict[str, Any]:
    return {name: {"f:image": {}} for name, fields in containers.items() if "f:image" in fields}


def _service(body: Manifest) -> ServiceRecord:
    conditions = {one["type"]: one["status"] for one in body.get("status", {}).get("conditions", ())}
    goes_on = "Reconciling" in conditions or "Stalled" in conditions or conditions.get("PreflightPassed") == "False"
    is_settled = conditions.get("Ready") == "True" and not goes_on
    ingress = body.get("spec", {}).get("ingress")
    return ServiceRecord(is_settled, _claims(ingress) if ingress is not None else ())


def _claims(ingress: Manifest) -> tuple[HostPath, ...]:
    """The hosts and paths of `spec.ingress`, as `host_paths` finds them in the parsed spec."""
    hosts = [ingress["host"], *(ingress.get("additionalHosts") or ())] if ingress.get("host") else []
    paths = [ingress.get("path", "/"), *(one["path"] for one in ingress.get("additionalPaths") or ())]
    return ways(hosts, paths)


def _ingress(body: Manifest) -> IngressRecord:
    spec = body["spec"]
    rules = [(rule.get("host", ""), rule.get("http", {}).get("paths", ())) for rule in spec.get("rules") or ()]
    is_guest = is_canary(annotations_of(body))
    holds = () if is_guest else tuple((host, path.get("path", "/")) for host, paths in rules for path in paths)
    return IngressRecord(body["metadata"].get("creationTimestamp", ""), spec.get("ingressClassName", ""), holds)


def _for_checks(body: Manifest) -> Manifest:
    """Returns the fields that preflight reads of a StorageClass, a ResourceQuota or a LimitRange."""
    kept = ("spec", "status", "allowVolumeExpansion", "volumeBindingMode", "provisioner")
    metadata = {field: body["metadata"][field] for field in METADATA_FOR_CHECKS if field in body["metadata"]}
    return {"metadata": metadata, **{field: body[field] for field in kept if field in body}}


LABELLED: Final = frozenset(kind.kind for kind in WATCHED_BY_LABEL)
CONTAINER_FIELDS: Final = ("f:containers", "f:initContainers")
EDITED_KINDS: Final = frozenset(kind.kind for kind in CHILD_KINDS) - {CLAIM.kind}
"""Kinds whose spec others have no business to write; a claim's is the volume controllers'."""
METADATA_FOR_CHECKS: Final = ("name", "namespace", "annotations", "creationTimestamp")
RECORDS: Final[Mapping[str, Callable[[Manifest], Record]]] = {
    KIND: _service,
    INGRESS.kind: _ingress,
    NODE.kind: node,
    RESOURCE_SLICE.kind: device_slice,
    DEVICE_CLASS.kind: device_class,
    STORAGE_CLASS.kind: _for_checks,
    QUOTA.kind: _for_checks,
    LIMIT_RANGE.kind: _for_checks,
}
"""By kind: what is kept beside, or in the place of, the object itself."""
