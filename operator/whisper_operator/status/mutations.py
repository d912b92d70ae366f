"""The conditions on children, and pods, that others keep from being as they were applied: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.objects import field_owners, names
from whisper_operator.objects.diff import LEFT_OUT
from whisper_operator.objects.kinds import POD
from whisper_operator.objects.manifest import images_of, is_being_deleted
from whisper_operator.resolve.resolved import Resolved

UNSEEN_LOOK_SECONDS: Final = 15.0
"""Until a child that no watch shows is read again."""
NAMED_PODS: Final = 5
NAMED_FIELDS: Final = 5
"""Fields of one child that a message names; there may be hundreds."""


def children_mutated(resolved: Resolved) -> ConditionUpdate | None:
    """True while policies or other controllers keep children from being as they were applied; else None.

    It names fields and no values, which may be anything.
    """
    if not resolved.mutated:
        return None
    found = "; ".join(f"{kind}/{name} in {_named(paths)}" for (kind, name), paths in sorted(resolved.mutated.items()))
    message = (
        f"not as applied, and let be: {found}: an admission policy writes that, or another manager that "
        "metadata.managedFields of the object names"
    )
    if LEFT_OUT in found:
        message += "; a field is left out, too, where the API server's version or feature gates do not have it"
    if unseen := sorted(f"{kind}/{name}" for (kind, name), paths in resolved.mutated.items() if _lacks_label(paths)):
        message = (
            f"something takes the label {names.LABEL_SERVICE} away from {', '.join(unseen)} at each write, so that no "
            f"watch shows them: they are read every {UNSEEN_LOOK_SECONDS:.0f} s; exempt the label from that policy; "
            f"{message}"
        )
        return ConditionUpdate(c.CHILDREN_MUTATED, "True", c.LABEL_TAKEN_AWAY, message)
    return ConditionUpdate(c.CHILDREN_MUTATED, "True", c.LET_BE, message)


def _lacks_label(paths: Sequence[str]) -> bool:
    """Whether, by the fields that are not as applied, a child has not the label by which it is watched."""
    lost = ("metadata.labels", f"metadata.labels.{names.LABEL_SERVICE}")
    return any(path.removesuffix(LEFT_OUT) in lost for path in paths)


def pods_edited(resolved: Resolved) -> ConditionUpdate | None:
    """True while a pod runs an image that somebody wrote into the pod itself; else None."""
    found = [
        f"pod {pod['metadata']['name']} runs {image} in container {container}, by {manager}"
        for pod in sorted(resolved.observed.all(POD), key=lambda pod: pod["metadata"]["name"])
        for container, manager in field_owners.image_editors(pod).items()
        if not is_being_deleted(pod) and (image := images_of(pod).get(container))
    ]
    if not found:
        return None
    more = f"; {len(found) - NAMED_PODS} more" if len(found) > NAMED_PODS else ""
    message = f"{'; '.join(found[:NAMED_PODS])}{more}: delete the pods, for their successors run the service's image"
    return ConditionUpdate(c.PODS_EDITED, "True", c.IMAGE_EDITED, message)


def _named(paths: Sequence[str]) -> str:
    more = len(paths) - NAMED_FIELDS
    return ", ".join([*paths[:NAMED_FIELDS], *([f"{more} more"] if more > 0 else [])])
