"""What every child has in common: name, labels, owner, and the hash of what was applied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import Kind


def child(
    service: WhisperService,
    kind: Kind,
    name: str,
    *,
    component: str = names.SERVER,
    annotations: Mapping[str, str] | None = None,
    owned: bool = True,
    **body: Any,
) -> Manifest:
    """The manifest of a child named `name`; `body` holds what stands beside its metadata."""
    metadata: Manifest = {
        "name": name,
        "namespace": service.metadata.namespace,
        "labels": names.labels(service.metadata.name, component),
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    if owned:
        metadata["ownerReferences"] = [owner(service)]
    return sealed({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **body})


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


def sealed(manifest: Manifest) -> Manifest:
    """`manifest` with the hash of itself as an annotation, by which a later pass knows what was applied."""
    digest = hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), names.ANNOTATION_APPLIED: digest}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
