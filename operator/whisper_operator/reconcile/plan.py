"""Plans which children to apply and to delete: the difference of the wanted from the live ones. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from whisper_operator.api.v1alpha1 import KIND, Manifest, WhisperService
from whisper_operator.objects import field_owners, names
from whisper_operator.objects.diff import Deviation, deviations
from whisper_operator.objects.kinds import CHILD_KINDS, CLAIM, DEPLOYMENT, JOB, POD, SERVICE, Kind, by_name
from whisper_operator.objects.manifest import annotations_of, controller_of, is_being_deleted, is_true, labels_of
from whisper_operator.observe.observed import ChildName, Observed
from whisper_operator.resolve.claim import asked_of, has_volume

NEVER_PRUNED: Final = (CLAIM, DEPLOYMENT)
"""A claim is data, and goes with its service or where it is given up; a Deployment that is not built now is held as it
is."""
HASH_PATH: Final = f"metadata.annotations.{names.ANNOTATION_APPLIED}"
HEADLESS: Final = "None"
WHAT_PODS_RUN: Final = tuple(f"spec.template.spec.{name}" for name in ("containers", "initContainers", "volumes"))
LEAVING_SECONDS: Final = 30.0
"""Time that the controller behind a finalizer has for what is not wanted any more, or was a deleted service's, before
that is told."""


@dataclass(frozen=True)
class ApplyPlan:
    apply: list[Manifest] = field(default_factory=list[Manifest])
    delete: list[Manifest] = field(default_factory=list[Manifest])
    ending: list[Manifest] = field(default_factory=list[Manifest])
    """Live children that are wanted and being deleted: nothing can be done before they are gone."""
    overdue: list[Manifest] = field(default_factory=list[Manifest])
    """Live children that are not wanted, and that something has kept from their end for LEAVING_SECONDS."""
    mutated: dict[ChildName, list[str]] = field(default_factory=dict[ChildName, list[str]])
    """Of each child that is not as it was applied, and is let be: the paths of those fields, as `Deviation.named` has
    them."""
    wanted: frozenset[ChildName] = frozenset()
    """Kind and name of every child that is wanted, whether there is something to do or not."""

    @property
    def is_empty(self) -> bool:
        return not self.apply and not self.delete


def plan(
    wanted: Iterable[Manifest],
    observed: Observed,
    served: Collection[Kind] = CHILD_KINDS,
    given_up: Iterable[Manifest] = (),
) -> ApplyPlan:
    """The children to apply, in order, and those to delete.

    `given_up`: live claims that are to be deleted.
    `served`: kinds whose API the cluster serves now. A child of another kind stays: it is not wanted only because it
    could not be built, and an API server that starts answers for a moment as if it served no custom resources.
    """
    manifests = {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in wanted}
    result = ApplyPlan(wanted=frozenset(manifests))
    for key, manifest in manifests.items():
        live = observed.objects.get(key)
        if live is None or not is_being_deleted(live):
            _compare(manifest, live, observed, result)
            if live is not None and (let_be := observed.accepted.get(key)):
                _take_in_mutations(manifest, live, let_be, result)
        elif by_name(live["kind"]) != CLAIM or has_volume(live):
            # A claim without a volume is one of ours that makes way for another, and has a condition that says so.
            result.ending.append(live)
    for live in _unwanted(result.wanted, observed, served):
        if not is_being_deleted(live):
            result.delete.append(live)
        elif is_overdue(live, observed.facts.now):
            result.overdue.append(live)
    result.delete.extend(live for live in given_up if not is_being_deleted(live))
    return result


def without(todo: ApplyPlan, kinds: Collection[Kind]) -> ApplyPlan:
    """`todo` but for those kinds, whose children stay as they are."""
    held = {kind.kind for kind in kinds}
    return replace(
        todo,
        apply=[one for one in todo.apply if one["kind"] not in held],
        delete=[one for one in todo.delete if one["kind"] not in held],
    )


def ours(service: WhisperService, observed: Observed) -> Observed:
    """`observed` without objects that another controls, such as the children of a deleted service of the same name."""
    found = {key: live for key, live in observed.objects.items() if key[0] == POD.kind or is_ours(service, live)}
    others = observed.objects.keys() - found.keys()
    predecessors = frozenset(key for key in others if is_predecessors(service, observed.objects[key]))
    return replace(observed, objects=found, predecessors=predecessors)


def is_predecessors(service: WhisperService, live: Manifest) -> bool:
    """Whether a deleted WhisperService of the same name owned it: the garbage collector will take it."""
    controller = controller_of(live)
    return (
        controller is not None
        and (controller["kind"], controller["name"]) == (KIND, service.metadata.name)
        and controller["uid"] != service.metadata.uid
    )


def is_ours(service: WhisperService, live: Manifest) -> bool:
    """Whether the service controls `live`, or nothing does and the operator has applied it: then it is adopted.

    `live`: an object of a child's name. The hash of what was applied tells, or the service's labels: either may get
    lost, the labels to policies and packagers, the owner to backups.
    """
    if (controller := controller_of(live)) is not None:
        return controller["uid"] == service.metadata.uid
    if applied_hash(live):
        return True
    labels = labels_of(live)
    wanted = names.labels(service.metadata.name, names.SERVER)
    return all(labels.get(name) == wanted[name] for name in (names.LABEL_SERVICE, names.LABEL_MANAGED_BY))


def _compare(manifest: Manifest, live: Manifest | None, observed: Observed, result: ApplyPlan) -> None:
    if live is None:
        result.apply.append(manifest)
    elif manifest["kind"] == CLAIM.kind and not has_volume(live) and asked_of(live) != asked_of(manifest):
        # Its class, mode and size are fixed, and there is no data in it yet.
        result.delete.append(live)
    elif manifest["kind"] == SERVICE.kind and _was_made_headless(manifest, live):
        # That is fixed, too, and clients would find the pods at the pods' own port alone.
        result.delete.append(live)
    elif manifest["kind"] == JOB.kind:
        # A Job's template is immutable: one that has not succeeded makes way for what is wanted now.
        if is_true(live, "Complete") or names.ANNOTATION_REPORT in annotations_of(live):
            return
        drift = [*drift_of(manifest, observed)]
        if is_of_another_apply(drift):
            result.delete.append(live)
        elif names.ANNOTATION_REPORT in annotations_of(manifest) or any(map(is_edit_of_job, drift)):
            result.apply.append(manifest)
    elif any(drift_of(manifest, observed)):
        # Whatever differs from the last apply, the hash in the annotations does.
        result.apply.append(manifest)


def _was_made_headless(manifest: Manifest, live: Manifest) -> bool:
    """Whether somebody made the Service anew without an address; a policy that does so at each write is let be."""
    if live["spec"].get("clusterIP") != HEADLESS or manifest["spec"].get("clusterIP") == HEADLESS:
        return False
    owned = [field_owners.below(of, "spec") for of in field_owners.editors(live)]
    return any(field_owners.below(of, "clusterIP") is not None for of in owned)


def is_of_another_apply(drift: Iterable[Deviation]) -> bool:
    """Whether the last apply of that child was not of this manifest: its hash deviates, and no policy took it away."""
    return any(one.path == HASH_PATH or HASH_PATH.startswith(f"{one.path}.") for one in drift)


def is_field_of_job(one: Deviation) -> bool:
    """Whether a deviation of a Job can be taken back: its template is fixed, but for what a queue of Jobs may write
    there (nodes, tolerations) while it is suspended."""
    return one.path.startswith("spec.") and not one.path.startswith("spec.template")


def is_edit_of_job(one: Deviation) -> bool:
    return is_field_of_job(one) or runs_something_else(one)


def runs_something_else(one: Deviation) -> bool:
    """Whether a deviation of a Job is in what its pods run, as in one that somebody made anew from the dump of ours."""
    return one.path.startswith(WHAT_PODS_RUN)


def _take_in_mutations(manifest: Manifest, live: Manifest, let_be: Collection[Deviation], result: ApplyPlan) -> None:
    """`let_be`: deviations that were accepted, some of which may be gone since."""
    there = deviations(manifest, live, editors=field_owners.editors(live))
    found = [one for one in there if one in let_be and not one.is_left_out]
    if found:
        result.mutated[manifest["kind"], manifest["metadata"]["name"]] = sorted(one.named for one in found)


def drift_of(manifest: Manifest, observed: Observed) -> Iterator[Deviation]:
    """Returns what is not as in `manifest` of the live child, and not accepted."""
    return observed.drift(by_name(manifest["kind"]), manifest["metadata"]["name"], manifest)


def _unwanted(wanted: Collection[ChildName], observed: Observed, served: Collection[Kind]) -> list[Manifest]:
    """The live children of served kinds that are not wanted, kind by kind."""
    order = {kind.kind: place for place, kind in enumerate(CHILD_KINDS) if kind in served and kind not in NEVER_PRUNED}
    found = [live for key, live in observed.objects.items() if key[0] in order and key not in wanted]
    return sorted(found, key=lambda live: order[live["kind"]])


def is_overdue(live: Manifest, now: float) -> bool:
    """Whether something has kept an object that is being deleted from its end for LEAVING_SECONDS.

    `now`: seconds since the epoch.
    """
    return now - datetime.datetime.fromisoformat(live["metadata"]["deletionTimestamp"]).timestamp() >= LEAVING_SECONDS


def applied_hash(manifest: Manifest) -> str | None:
    return annotations_of(manifest).get(names.ANNOTATION_APPLIED)
