"""When a pass looks again by itself at what no watch shows: Secrets, others' objects, the passing of time. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.status import Status
from whisper_operator.objects.kinds import POD
from whisper_operator.objects.manifest import is_being_deleted
from whisper_operator.observe.pod_status import is_unplaced
from whisper_operator.observe.records import is_out_of_sight
from whisper_operator.reconcile import job_reports
from whisper_operator.reconcile.fetch_progress import ASK_SECONDS
from whisper_operator.reconcile.job_reports import keeper
from whisper_operator.reconcile.plan import LEAVING_SECONDS
from whisper_operator.reconcile.store_reports import ASK_SECONDS as ASK_STORE_SECONDS
from whisper_operator.resolve import rollout, wake, zero
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.mutations import UNSEEN_LOOK_SECONDS
from whisper_operator.status.refused import Refusal

LOOK_SECONDS: Final = (5.0, 60.0)
"""An object that no watch shows (a Secret) is looked for again after as long as it has been missing, within these."""
DEMAND_SECONDS: Final = 10.0
"""Until the front is asked again whether the last pods may be ended, where something kept them."""
LEAST_UNTIL_IDLE: Final = 1.0
NODE_SECONDS: Final = 10.0
"""Until it is asked again whether an autoscaler adds a node for a pod: clients are refused where none does."""
REFUSED_LOOK_SECONDS: Final = 60.0
RIVALS_LOOK_SECONDS: Final = 60.0
"""Until it is looked whether another autoscaler is still there."""


def seconds_until_next_look(resolved: Resolved, refused: Sequence[Refusal]) -> float | None:
    """None: when something changes. `refused`: what the API server did not take from this pass."""
    waits = [REFUSED_LOOK_SECONDS] if refused else []
    waits.extend(_until_children_are_read(resolved))
    if resolved.observed.facts.rivals or resolved.observed.facts.front_rivals:
        waits.append(RIVALS_LOOK_SECONDS)
    if resolved.prefetch.running_pod:
        waits.append(ASK_SECONDS)
    if keeper(resolved.service, resolved.observed):
        waits.append(job_reports.ASK_SECONDS)
    if resolved.observed.facts.store_reports:
        waits.append(ASK_STORE_SECONDS)
    if resolved.preflight.lacks_lookup:
        failing = _failing_for(resolved.service.status, resolved.observed.facts.now)
        waits.append(min(max(failing, LOOK_SECONDS[0]), LOOK_SECONDS[1]))
    if resolved.service.spec.paused:
        return min(waits, default=None)
    waits.extend([*_until_idle(resolved), *_until_a_node(resolved)])
    if resolved.verification.retry_in is not None:
        waits.append(resolved.verification.retry_in)
    if (searching := rollout.seconds_until_no_room(resolved)) is not None:
        waits.append(searching)
    return min(waits, default=None)


def _until_children_are_read(resolved: Resolved) -> list[float]:
    """When a child is overdue that is being deleted, or a deleted service's; and when those are read that no watch
    shows."""
    children = [live for (kind, _), live in resolved.observed.objects.items() if kind != POD.kind]
    is_leaving = resolved.observed.predecessors or any(map(is_being_deleted, children))
    leaving = [LEAVING_SECONDS] if is_leaving else []
    return [*leaving, *([UNSEEN_LOOK_SECONDS] if any(map(is_out_of_sight, children)) else [])]


def _until_idle(resolved: Resolved) -> list[float]:
    """When the last pods may be ended: whether anybody asks is seen by no watch."""
    seconds = zero.seconds_until_idle(resolved)
    if seconds is None:
        return []
    return [max(seconds, LEAST_UNTIL_IDLE) if seconds else DEMAND_SECONDS]


def _until_a_node(resolved: Resolved) -> list[float]:
    """When it may be known whether an autoscaler adds a node: its Events are not watched."""
    is_unknown = wake.is_awaited(resolved) and any(map(is_unplaced, resolved.server_pods))
    return [NODE_SECONDS] if is_unknown else []


def _failing_for(status: Status, now: float) -> float:
    """Seconds for which preflight has not passed."""
    failed = (one for one in status.conditions if one.type == c.PREFLIGHT_PASSED and one.status == "False")
    since = next((one.last_transition_time for one in failed), None)
    return now - datetime.datetime.fromisoformat(since).timestamp() if since else 0.0
