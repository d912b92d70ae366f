"""Jobs that their time to live has ended, kept as they ended: by a Job the operator knows that its work is done. Pure.

Ours live for ever, but a policy may overwrite that at every write. A Job that is gone is made, and run, again: where it
lives for a second, that is a fetch and a verification each second, for ever. Whoever deletes a Job before its time is
up, or while nothing watches, has it run again.
"""

from __future__ import annotations

import datetime
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import JOB
from whisper_operator.objects.manifest import condition, is_true

ENDS: Final = ("Complete", "Failed")
OF_DELETION: Final = ("deletionTimestamp", "deletionGracePeriodSeconds", "finalizers")


def as_it_ended(body: Manifest) -> Manifest | None:
    """The Job before its deletion, where that came when its time to live was up; None for every other object.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
    """
    deleted = body["metadata"].get("deletionTimestamp")
    if body["kind"] != JOB.kind or deleted is None:
        return None
    lives, ended = body["spec"].get("ttlSecondsAfterFinished"), next((one for one in ENDS if is_true(body, one)), "")
    since = (condition(body, ended) or {}).get("lastTransitionTime")
    if lives is None or since is None or _seconds(deleted) < _seconds(since) + lives:
        return None
    before = {name: value for name, value in body["metadata"].items() if name not in OF_DELETION}
    return {**body, "metadata": before}


def _seconds(time: str) -> float:
    return datetime.datetime.fromisoformat(time).timestamp()
