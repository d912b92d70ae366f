"""The condition on children that others keep from being as they were applied: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.resolve.resolved import Resolved

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
    return ConditionUpdate(c.CHILDREN_MUTATED, "True", c.LET_BE, message)


def _named(paths: Sequence[str]) -> str:
    more = len(paths) - NAMED_FIELDS
    return ", ".join([*paths[:NAMED_FIELDS], *([f"{more} more"] if more > 0 else [])])
