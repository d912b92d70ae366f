"""The conditions to write: what a pass finds, and since when it has been so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from whisper_operator.api.conditions import outcome
from whisper_operator.api.status import LONGEST_MESSAGE, Condition, ConditionStatus, is_reason


@dataclass(frozen=True)
class ConditionUpdate:
    """A condition without its history."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


def conditions(
    updates: Iterable[ConditionUpdate], previous: Iterable[Condition], generation: int, now: str
) -> tuple[Condition, ...]:
    """The conditions to write for `generation`: `lastTransitionTime` is `now` only where the status changed.

    `now` is a time in RFC 3339.
    """
    before = {condition.type: condition for condition in previous}
    return tuple(_condition(_as_taken(update), before.get(update.type), generation, now) for update in updates)


def _as_taken(update: ConditionUpdate) -> ConditionUpdate:
    """`update` as the API server takes it: kubelets, gateways and autoscalers give reasons of any form."""
    if is_reason(update.reason):
        is_short = len(update.message) <= LONGEST_MESSAGE
        return update if is_short else replace(update, message=update.message[:LONGEST_MESSAGE])
    word = re.match("[A-Za-z][A-Za-z0-9]*", update.reason)
    reason = word[0] if word and is_reason(word[0]) else outcome.UNSPECIFIED
    return replace(update, reason=reason, message=f"{update.reason}: {update.message}"[:LONGEST_MESSAGE])


def _condition(update: ConditionUpdate, before: Condition | None, generation: int, now: str) -> Condition:
    since = before.last_transition_time if before and before.status == update.status else None
    if before and since and _is_same(update, before, generation):
        return before
    return Condition(
        type=update.type,
        status=update.status,
        reason=update.reason,
        message=update.message,
        observed_generation=generation,
        last_transition_time=since or now,
    )


def _is_same(update: ConditionUpdate, before: Condition, generation: int) -> bool:
    """Whether nothing of a condition has changed whose status has not."""
    return (update.reason, update.message, generation) == (before.reason, before.message, before.observed_generation)
