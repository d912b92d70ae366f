"""What a condition or its reason means and asks for, from the operator's own declarations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from whisper_operator.api.conditions import CONDITION_TYPES, REASONS
from whisper_operator.api.external_reasons import EXTERNAL_REASONS
from whisper_operator.api.registry import ConditionReason


def explained(name: str) -> str:
    """Raises LookupError, with the names that are nearest, where neither a type nor a reason has that one."""
    reasons = {**{one.name: one for one in EXTERNAL_REASONS}, **REASONS}
    known = {one.lower(): one for one in (*CONDITION_TYPES, *reasons)}
    found = known.get(name.lower())
    if found is None:
        near = ", ".join(known[one] for one in get_close_matches(name.lower(), known))
        raise LookupError(f"{name}: no condition and no reason of one{f'; did you mean {near}?' if near else ''}")
    lines = [found]
    if kind := CONDITION_TYPES.get(found):
        lines += [f"  condition: {kind.meaning}"]
        lines += ["  Ready is False while it is."] if kind.blocks_ready else []
    if reason := reasons.get(found):
        lines += _of_reason(reason)
    return "\n".join(lines)


def _of_reason(reason: ConditionReason) -> Iterator[str]:
    yield f"  reason under {', '.join(reason.types)}: {reason.meaning}" if reason.types else f"  {reason.meaning}"
    if reason.remedy:
        yield f"  remedy: {reason.remedy}"
    if reason.stalls:
        yield "  The operator cannot mend it: Stalled is True until somebody does."
