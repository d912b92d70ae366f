"""What the operator wrote other than by an apply becomes its applies', so that a later apply can remove it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import Kind
from whisper_operator.objects.manifest import identity, with_metadata

MOST_CONFLICTS: Final = 5


async def as_applied(
    cluster: Cluster, kind: Kind, written: Manifest, managers: Callable[[Manifest], list[Manifest] | None]
) -> Manifest:
    """The object after that, from `written`, as our edit left it. Raises ApiError.

    `managers`: the field managers that the object is to have; None where nothing is to change. Whoever writes between
    the edit and this, as a Deployment's controller does that notes each revision, makes it conflict: the object is read
    again, since no later pass finds anything to do.
    """
    found, conflicts = written, 0
    while not cluster.is_dry and (wanted := managers(found)) is not None:
        try:
            return await cluster.merge(kind, with_metadata(identity(found), {"managedFields": wanted}))
        except ApiError as error:
            conflicts += 1
            if not error.is_conflict or conflicts > MOST_CONFLICTS:
                raise
        metadata = found["metadata"]
        latest = await cluster.get(kind, metadata["namespace"], metadata["name"])
        if latest is None or latest["metadata"]["uid"] != metadata["uid"]:
            break
        found = latest
    return found
