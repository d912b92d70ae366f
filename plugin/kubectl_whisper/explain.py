"""What a condition or its reason means and asks for, from the operator's own declarations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from whisper_operator.api.conditions import CONDITION_TYPES, REASONS
from whisper_operator.api.external_reasons import EXTERNAL_REASONS
from whisper_operator.api.registry import ConditionReason


@dataclass(frozen=True)
class Explanation:
    """A name that a condition has, or a reason of one, or both; what it is not, is empty."""

    name: str
    condition: str
    """What it means that the condition is True."""
    blocks_ready: bool
    """Whether Ready is False while the condition is."""
    reason_under: tuple[str, ...]
    """Conditions that have the reason."""
    reason: str
    """What the reason means."""
    remedy: str
    """Empty: nothing has to be done."""
    stalls: bool
    """Whether the operator cannot mend it."""


def names() -> list[str]:
    """Of every condition, and of every reason."""
    return sorted({*CONDITION_TYPES, *_reasons()})


def explanation(name: str) -> Explanation:
    """Raises LookupError, with the names that are nearest, where neither a type nor a reason has that one."""
    known = {one.lower(): one for one in names()}
    found = known.get(name.lower())
    if found is None:
        near = ", ".join(known[one] for one in get_close_matches(name.lower(), known))
        raise LookupError(f"{name}: no condition and no reason of one{f'; did you mean {near}?' if near else ''}")
    kind, reason = CONDITION_TYPES.get(found), _reasons().get(found)
    return Explanation(
        name=found,
        condition=kind.meaning if kind else "",
        blocks_ready=bool(kind and kind.blocks_ready),
        reason_under=reason.types if reason else (),
        reason=reason.meaning if reason else "",
        remedy=reason.remedy if reason else "",
        stalls=bool(reason and reason.stalls),
    )


def sentences(found: Explanation) -> str:
    """The explanation for people."""
    return "\n".join(_lines(found))


def _reasons() -> dict[str, ConditionReason]:
    """Each by its name; where others have a reason of the same name, the operator's own."""
    return {**{one.name: one for one in EXTERNAL_REASONS}, **REASONS}


def _lines(found: Explanation) -> Iterator[str]:
    yield found.name
    if found.condition:
        yield f"  condition: {found.condition}"
    if found.blocks_ready:
        yield "  Ready is False while it is."
    if found.reason:
        under = f"reason under {', '.join(found.reason_under)}: " if found.reason_under else ""
        yield f"  {under}{found.reason}"
    if found.remedy:
        yield f"  remedy: {found.remedy}"
    if found.stalls:
        yield "  The operator cannot mend it: Stalled is True until somebody does."
