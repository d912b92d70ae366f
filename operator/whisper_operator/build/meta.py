"""The metadata that every child has: name, labels, owner, and the hash of the manifest as it was applied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import Kind
from whisper_operator.objects.manifest import annotations_of


def child(
    service: WhisperService,
    kind: Kind,
    name: str,
    *,
    component: str = names.SERVER,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    owned: bool = True,
    **body: Any,
) -> Manifest:
    """The manifest of a child named `name`.

    `labels`: the user's own, beside those that all children have; `owned`: whether it goes with its service, for what
    does not must not go with somebody else's; `body`: the fields beside `metadata`. What the spec says of every object
    gives way to all of these.
    """
    common, ours = service.spec.object_metadata, names.labels(service.metadata.name, component)
    if not owned:
        # By this label Argo CD knows what belongs to the application of that name.
        del ours[names.LABEL_INSTANCE]
    metadata: Manifest = {
        "name": name,
        "namespace": service.metadata.namespace,
        "labels": {**common.labels, **ours},
    }
    if annotations or common.annotations:
        metadata["annotations"] = {**common.annotations, **(annotations or {})}
    if owned:
        metadata["ownerReferences"] = [owner(service)]
    else:
        metadata["annotations"] = {**metadata.get("annotations", {}), **names.KEPT_BY_GITOPS}
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **body}
    _seal(manifest)
    if labels is not None:
        metadata["labels"] = {**common.labels, **labels, **ours}
        # Over the first hash, as the first release did: another hash would be a write for each service at an upgrade.
        _seal(manifest)
    return manifest


def owner(service: WhisperService) -> Manifest:
    """The reference by which the garbage collector removes children with their service."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": service.metadata.name,
        "uid": service.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def unsealed_annotations(manifest: Manifest) -> dict[str, str]:
    """Those of a child, without the hash that says that all of it was applied."""
    return {name: value for name, value in annotations_of(manifest).items() if name != names.ANNOTATION_APPLIED}


def _seal(manifest: Manifest) -> None:
    """Adds the hash of the manifest to its annotations, by which a later pass knows what was applied."""
    digest = hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    manifest["metadata"].setdefault("annotations", {})[names.ANNOTATION_APPLIED] = digest
