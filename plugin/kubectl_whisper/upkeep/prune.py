"""Finds what caches of checkpoints hold that no service refers to, and deletes it on somebody's word.

Whatever is not certain is kept: a claim that no pod shows, a file that no fetch has named, a name in a failed rollout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from kubectl_whisper.kube_api import COMPONENT_LABEL, SERVICE_LABEL, Failure, KubeApi, path_of
from kubectl_whisper.upkeep.models import Cache, caches_of, files_in, is_used, megabytes, used_files
from kubectl_whisper.upkeep.prune_job import delete_files
from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.manifest import annotations_of, controller_of, labels_of
from whisper_operator.resolve.model import ModelRef, model_of
from whisper_runtime.contract.models import checkpoint_path

OF_A_FETCH: Final = re.compile(r"[^/.][^/]*-[0-9a-f]{12}\.pt")
"""The name that a fetch gives; a file of another name is somebody else's."""


@dataclass(frozen=True)
class PruneRow:
    claim: str
    file: str
    """Empty: the claim itself, and all that it holds."""
    size: str
    outcome: str
    """unused, or deleted, or failed."""
    why: str
    """Why it failed, or what it takes to delete it."""


@dataclass(frozen=True)
class Unused:
    """A checkpoint in a claim, or a whole claim, that nothing in the namespace refers to."""

    claim: str
    file: str
    """Empty: the claim."""
    size: int
    seen_through: Mapping[str, Any]
    """The pod that shows the file; of a claim itself: the claim."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The UID, too, of a claim: another of the same name is another."""
        return self.claim, self.file, "" if self.file else self.seen_through["metadata"]["uid"]

    def row(self, outcome: str, why: str = "") -> PruneRow:
        return PruneRow(self.claim, self.file, megabytes(self.size), outcome, why)


def unused(api: KubeApi, notice: Callable[[str], None]) -> list[Unused]:
    """Files of the namespace's claims, then claims; `notice` takes what could not be looked at. Raises Failure."""
    ours = {"labelSelector": SERVICE_LABEL}
    services = list(api.whisper_services())
    pods = list(api.listed(path_of("v1", "pods", api.namespace)))
    deployments = list(api.listed(path_of("apps/v1", "deployments", api.namespace), ours))
    is_wanted = WantedFiles([*services, *deployments, *pods])
    files: list[Unused] = []
    for cache in caches_of(filter(_serves, pods)):
        if cache.claim and not is_a_source(cache.claim, services):
            files += _unused_in(api, cache, is_wanted, notice)
    claims = api.listed(path_of("v1", "persistentvolumeclaims", api.namespace), ours)
    return [*files, *outlived(claims, services, pods)]


def chosen(found: Sequence[Unused], wanted: Sequence[str]) -> list[Unused]:
    """Those of that name, a file's or a claim's; without names every file, and no claim. Raises Failure."""
    known = {name for one in found for name in (one.claim, one.file) if name}
    if strange := [name for name in wanted if name not in known]:
        raise Failure(f"{', '.join(strange)}: nothing unused has that name; `prune` without names shows what is")
    return [one for one in found if ({one.claim, one.file} & set(wanted) if wanted else one.file)]


def delete(api: KubeApi, asked: Sequence[Unused], still: Iterable[Unused]) -> Iterator[PruneRow]:
    """Deletes what was `asked` for and is `still` unused; a row tells what came of each."""
    left = {one.key: one for one in still}
    for one in asked:
        if one.key not in left:
            yield one.row("failed", "it has come into use, or gone, meanwhile")
    going = [left[one.key] for one in asked if one.key in left]
    for claim in sorted({one.claim for one in going if one.file}):
        yield from _delete_from(api, [one for one in going if one.claim == claim and one.file])
    for one in going:
        if not one.file:
            yield _delete_claim(api, one)


class WantedFiles:
    """Tells whether anything in a namespace refers to a file."""

    def __init__(self, objects: Sequence[Manifest]) -> None:
        """`objects`: the WhisperServices, Deployments and pods of the namespace."""
        self._files = frozenset(name for one in objects for name in _files_of(one))
        self._specs = json.dumps([one["spec"] for one in objects])

    def __call__(self, file: str) -> bool:
        """By a model that is served, wanted or led back to; or by its name anywhere, as in a variable."""
        return is_used(file, self._files) or file in self._specs


def outlived(claims: Iterable[Manifest], services: Sequence[Manifest], pods: Iterable[Manifest]) -> Iterator[Unused]:
    """Claims of checkpoints that the operator made, whose service is gone, and that no pod and no service names."""
    alive = {one["metadata"]["name"] for one in services}
    mounted = {name for pod in pods for name in _claims_of(pod)}
    for claim in claims:
        metadata = claim["metadata"]
        name, labels = metadata["name"], metadata["labels"]
        made_for = labels[SERVICE_LABEL]
        is_own = labels.get(names.LABEL_MANAGED_BY) == names.FIELD_MANAGER and name == names.models_claim(made_for)
        is_named = name in mounted or is_a_source(name, services) or any(_mounts(one, name) for one in services)
        if is_own and not (made_for in alive or is_named or controller_of(claim) or "deletionTimestamp" in metadata):
            size = claim.get("status", {}).get("capacity", claim["spec"]["resources"]["requests"])["storage"]
            yield Unused(name, "", int(any_quantity(size)), claim)


def is_a_source(claim: str, services: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a service takes its model from the claim: from which of its files, only the fetch knows."""
    return any(f'"pvc://{claim}/' in json.dumps(one) for one in services)


def _files_of(one: Manifest) -> Iterator[str]:
    """Names of the files that a service uses, or a pod or a Deployment has as its model, or may lead back to."""
    if "model" in one["spec"]:
        yield from used_files(one)
        return
    last_good = annotations_of(one).get(names.ANNOTATION_LAST_GOOD_MODEL)
    for ref in (model_of(one["spec"].get("template", one)), ModelRef.parse(last_good) if last_good else None):
        if ref:
            yield _file(ref.name, ref.sha256)
        if ref and ref.encoder:
            yield _file(ref.encoder.name, ref.encoder.sha256)


def _serves(pod: Manifest) -> bool:
    labels = labels_of(pod)
    return SERVICE_LABEL in labels and labels.get(COMPONENT_LABEL) == names.SERVER


def _unused_in(
    api: KubeApi, cache: Cache, is_wanted: Callable[[str], bool], notice: Callable[[str], None]
) -> Iterator[Unused]:
    try:
        files = files_in(api, cache)
    except Failure as failure:
        notice(f"{cache.claim} is left alone: pod {cache.pod['metadata']['name']}: {failure}")
        return
    for file, size in files.items():
        if OF_A_FETCH.fullmatch(file) and not is_wanted(file):
            yield Unused(cache.claim, file, size, cache.pod)


def _delete_from(api: KubeApi, files: Sequence[Unused]) -> Iterator[PruneRow]:
    """`files`: of one claim."""
    try:
        delete_files(api, files[0].seen_through, files[0].claim, [one.file for one in files])
    except Failure as failure:
        yield from (one.row("failed", str(failure)) for one in files)
    else:
        yield from (one.row("deleted") for one in files)


def _delete_claim(api: KubeApi, one: Unused) -> PruneRow:
    uid = one.seen_through["metadata"]["uid"]
    try:
        api.delete(f"{path_of('v1', 'persistentvolumeclaims', api.namespace)}/{quote(one.claim, safe='')}", uid)
    except Failure as failure:
        return one.row("failed", str(failure))
    return one.row("deleted")


def _file(name: str, sha256: str | None) -> str:
    try:
        return checkpoint_path("", name, sha256).removeprefix("/")
    except ValueError:  # a digest that is not known
        return f"{name}-"


def _claims_of(pod: Manifest) -> Iterator[str]:
    for volume in pod["spec"].get("volumes", ()):
        yield volume.get("persistentVolumeClaim", {}).get("claimName", "")


def _mounts(service: Manifest, claim: str) -> bool:
    return service["spec"].get("cache", {}).get("existingClaim") == claim


def as_claims_say(rows: Iterable[PruneRow]) -> list[PruneRow]:
    """The rows, those of whole claims with what it takes: their spec said Retain."""
    return [row if row.file else replace(row, why="it was retained: to delete it, name it") for row in rows]
