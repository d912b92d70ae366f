"""Reads of any Kubernetes object that many modules make: its status, metadata, conditions; and patches of it. Pure."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest


def status_of(body: Manifest | None) -> Manifest:
    """The object's status; empty where there is no object, or no status yet."""
    return (body or {}).get("status") or {}


def part_of(body: Manifest, field: str) -> Manifest:
    """The object in that field; empty where it is absent or null."""
    return body.get(field) or {}


def container_of(spec: Manifest, name: str) -> Manifest | None:
    """The container of that name in a pod's spec; None where it has none. An injected one may come before it."""
    containers: list[Manifest] = spec.get("containers") or []
    return next((one for one in containers if one.get("name") == name), None)


def annotations_of(body: Manifest) -> dict[str, str]:
    return body["metadata"].get("annotations") or {}


def labels_of(body: Manifest) -> dict[str, str]:
    return body["metadata"].get("labels") or {}


def is_being_deleted(body: Manifest) -> bool:
    return "deletionTimestamp" in body["metadata"]


def controller_of(body: Manifest) -> Manifest | None:
    """The owner reference of the one that controls the object; None where none does."""
    return next((ref for ref in body["metadata"].get("ownerReferences") or () if ref.get("controller")), None)


def condition(body: Manifest | None, kind: str) -> Manifest | None:
    """The object's condition of that type; None where it has none."""
    return next((one for one in status_of(body).get("conditions") or () if one["type"] == kind), None)


def is_true(body: Manifest | None, kind: str) -> bool:
    """Whether the object's condition of that type is True."""
    return (condition(body, kind) or {}).get("status") == "True"


def images_of(template: Manifest) -> dict[str, str]:
    """The images of a pod's template by the names of its containers, those that run first included."""
    spec: Manifest = template.get("spec") or {}
    found: list[Manifest] = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return {one["name"]: one["image"] for one in found if "name" in one and "image" in one}


def identity(live: Manifest) -> Manifest:
    """Returns what a patch needs to change that object alone, and no other version of it."""
    kept = ("name", "namespace", "uid", "resourceVersion")
    metadata = {field: live["metadata"][field] for field in kept}
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}


def with_metadata(manifest: Manifest, more: Manifest) -> Manifest:
    """Returns `manifest` with the fields `more` in its metadata."""
    return {**manifest, "metadata": {**manifest["metadata"], **more}}
