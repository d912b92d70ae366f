"""A namespace's objects in a form in which two runs can be compared: pure but for the lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.objects import names
from whisper_operator.objects.diff import changes
from whisper_operator.objects.kinds import CHILD_KINDS, WHISPER_SERVICE

Snapshot = Mapping[str, Any]
"""Objects by kind and name."""

VARYING: Final = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    # A fetch is named after its claim's identity.
    (re.compile(r"-prefetch-[0-9a-f]{8}"), "-prefetch-HASH"),
    # The hash of what was applied covers the owner's identity.
    (re.compile(rf'("{re.escape(names.ANNOTATION_APPLIED)}": )"[0-9a-f]{{16}}"'), r'\1"HASH"'),
)
"""Text that differs between two runs of the same end state, and its replacement."""
SERVER_FILLED: Final = frozenset({"resourceVersion", "clusterIP", "clusterIPs", "time"})
"""Fields that the API server fills in anew for each object or write."""


async def take_snapshot(cluster: Cluster, namespace: str) -> Snapshot:
    """Every WhisperService in the namespace and everything of the kinds that can be its children."""
    found: dict[str, Any] = {}
    served = await cluster.served_kinds()
    for kind in (WHISPER_SERVICE, *CHILD_KINDS):
        if kind in served or kind == WHISPER_SERVICE:
            listed = await cluster.list(kind, namespace)
            bodies = [comparable(body) for body in listed if not _is_in_every_namespace(body)]
            found |= {f"{body['kind']}/{body['metadata']['name']}": body for body in bodies}
    return found


def comparable(body: Manifest) -> Manifest:
    """`body` without identities, versions and times; field managers stay, sorted."""
    text = json.dumps(body, sort_keys=True)
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    found = cast(Manifest, _without_server_filled(json.loads(text)))
    managers: list[Manifest] = found["metadata"].get("managedFields", [])
    managers.sort(key=lambda entry: (entry["manager"], entry["operation"], entry.get("subresource", "")))
    return found


def without_generations(state: Snapshot) -> Snapshot:
    """`state` without generations: changes that one run made in two writes may be one write in the other."""
    return {name: _without(body, frozenset({"generation", "observedGeneration"})) for name, body in state.items()}


def differences(expected: Snapshot, found: Snapshot) -> Iterator[str]:
    """One line for each object that is missing, unexpected, or different in a field."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} should not be there"
        else:
            yield from (f"{name}: {change}" for change in changes(expected[name], found[name]))
            before, after = (state[name]["metadata"].get("managedFields") for state in (expected, found))
            yield from (f"{name}: {change}" for change in changes(before, after, "managedFields"))


def orphans(expected: Snapshot, found: Snapshot) -> list[str]:
    """The objects that nothing of what is expected wants."""
    return sorted(found.keys() - expected.keys())


def extra_rollouts(expected: Snapshot, found: Snapshot) -> Iterator[str]:
    """One line for each Deployment changed more often than expected: pods may have been replaced for nothing."""
    for name in expected.keys() & found.keys():
        before, after = (state[name]["metadata"].get("generation", 0) for state in (expected, found))
        if name.startswith("Deployment/") and after > before:
            yield f"{name}: changed {after} times, not {before}"


def _is_in_every_namespace(body: Manifest) -> bool:
    """Whether the object is one that Kubernetes makes in each namespace."""
    return body["kind"] == "ServiceAccount" and body["metadata"]["name"] == "default"


def _without_server_filled(value: Any) -> Any:
    return _without(value, SERVER_FILLED)


def _without(value: Any, fields: frozenset[str]) -> Any:
    if isinstance(value, dict):
        there = cast(dict[str, Any], value)
        return {name: _without(inner, fields) for name, inner in there.items() if name not in fields}
    if isinstance(value, list):
        return [_without(inner, fields) for inner in cast(list[Any], value)]
    return value
