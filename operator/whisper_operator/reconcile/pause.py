"""What a pause holds back of a plan: read alone, for the status."""

from __future__ import annotations

from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import by_name
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.child_writer import is_earlier_answer, label
from whisper_operator.reconcile.plan import ApplyPlan


async def changes_held_back(
    cluster: Cluster, answers: Answers, key: Key, todo: ApplyPlan, observed: Observed
) -> tuple[str, ...]:
    """The changes of `todo`, but for those that a policy had made before this process began; raises ApiError.

    `key`: the service's.
    """
    applies: list[str] = []
    for manifest in todo.apply:
        live = observed.get(by_name(manifest["kind"]), manifest["metadata"]["name"])
        if live is None or not await is_earlier_answer(cluster, answers, key, manifest, live):
            applies.append(f"apply {label(manifest)}")
    return (*applies, *(f"delete {label(live)}" for live in todo.delete))
