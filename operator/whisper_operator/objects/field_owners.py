"""Owners of the fields of an object, from its `metadata.managedFields`: pure.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.list_keys import KEY_DEFAULTS

OwnedFields: TypeAlias = "Mapping[str, Any] | None"
"""The fields that somebody owns, as FieldsV1; empty: this one and all below it; None: not this one."""


def ours(body: Manifest) -> OwnedFields:
    """Returns what our own applies own; None where they own nothing."""
    found = (one for one in _entries(body) if _is_ours(one, "Apply"))
    return next((one["fieldsV1"] for one in found), None)


def edits_spec(entry: Manifest) -> bool:
    """Whether that manager owns fields of the spec by an update of the object itself."""
    is_edit = entry.get("operation") == "Update" and not entry.get("subresource")
    return is_edit and "f:spec" in entry.get("fieldsV1", {})


def editors(body: Manifest) -> list[OwnedFields]:
    """Returns what each manager owns that wrote the object by an update: who applies, states what he manages."""
    return [one["fieldsV1"] for one in _entries(body) if one["operation"] == "Update"]


def image_editors(pod: Manifest) -> dict[str, str]:
    """The managers that changed a container's image after the pod was created, by the container's name.

    Whoever creates a pod owns what admission made of it, too; later only the image of a container may be changed.
    """
    entries = [_containers(one) for one in _entries(pod)]
    creators = {key: manager for manager, of in entries for key, fields in of.items() if "f:name" in fields}
    return {
        orjson.loads(key[2:])["name"]: manager
        for manager, of in entries
        for key, fields in of.items()
        if "f:image" in fields and creators.get(key, manager) != manager
    }


def _containers(entry: Manifest) -> tuple[str, dict[str, Any]]:
    """The manager of a pod, and what it owns of each container, those that run first included."""
    spec = entry.get("fieldsV1", {}).get("f:spec", {})
    of = {**spec.get("f:containers", {}), **spec.get("f:initContainers", {})}
    return entry["manager"], {key: fields for key, fields in of.items() if key.startswith("k:")}


def with_edited_labels_applied(body: Manifest) -> list[Manifest] | None:
    """The field managers, with the labels that we wrote other than by an apply among those that we apply.

    None where we wrote none so, or apply nothing. Else a later apply could not remove them.
    """
    found: list[Manifest] = body["metadata"].get("managedFields", [])
    applied = next((one for one in found if _is_ours(one, "Apply") and "subresource" not in one), None)
    edits = [one for one in found if _is_ours(one, "Update")]
    if applied is None or not edits:
        return None
    fields, labels = applied["fieldsV1"], _labels(applied)
    for edit in edits:
        labels |= _labels(edit)
    metadata = {**fields.get("f:metadata", {}), "f:labels": labels}
    handed_over = {**applied, "fieldsV1": {**fields, "f:metadata": metadata}}
    return [handed_over if one is applied else one for one in found if one not in edits]


def _labels(entry: Manifest) -> dict[str, Any]:
    """What the manager owns of the labels, less the map itself, which an edit owns and an apply does not."""
    found: dict[str, Any] = entry["fieldsV1"].get("f:metadata", {}).get("f:labels", {})
    return {name: value for name, value in found.items() if name != "."}


def _is_ours(entry: Manifest, operation: str) -> bool:
    return (entry["manager"], entry["operation"]) == (names.FIELD_MANAGER, operation)


def without_our_edits(body: Manifest) -> list[Manifest] | None:
    """The field managers less what we wrote other than by an apply; None where there is no such thing.

    What two managers own, an apply of one of them cannot remove.
    """
    found = body["metadata"].get("managedFields", [])
    kept = [one for one in found if not _is_ours(one, "Update")]
    return kept if len(kept) < len(found) else None


def below(fields: OwnedFields, name: str) -> OwnedFields:
    """Returns what is owned of the field `name` below `fields`."""
    return fields if not fields else fields.get(f"f:{name}")


def item_below(fields: OwnedFields, item: Mapping[str, Any]) -> OwnedFields:
    """Returns what is owned of a list's item below `fields`."""
    if not fields:
        return fields
    for name, value in fields.items():
        if name.startswith("k:") and _is_key_of(orjson.loads(name[2:]), item):
            return value
    return None


def _is_key_of(key: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    return all(item.get(name, KEY_DEFAULTS.get(name)) == value for name, value in key.items())


def _entries(body: Manifest) -> list[Manifest]:
    """The managers of the object itself; those of its status and its scale are others."""
    return [one for one in body["metadata"].get("managedFields", ()) if not one.get("subresource")]
