"""Declarations of condition types and reasons; docs/reference/conditions.md is generated from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class ConditionType:
    name: str
    meaning: str
    """The meaning of the status True."""
    blocks_ready: bool
    """Whether Ready is False while this condition is False."""


@dataclass(frozen=True)
class ConditionReason:
    name: str
    types: tuple[str, ...]
    """Condition types that the reason appears under by itself; Ready, Reconciling and Stalled repeat it from there."""
    meaning: str
    remedy: str = ""
    """Empty if nothing has to be done."""
    stalls: bool = False
    """Whether only a user can help, so that the condition Stalled is True."""


CONDITION_TYPES: Final[dict[str, ConditionType]] = {}
REASONS: Final[dict[str, ConditionReason]] = {}
"""The operator's own reasons, by name; external_reasons.py adds those of other programs."""


def declare_type(name: str, meaning: str, *, blocks_ready: bool = False) -> str:
    """Add a condition type to CONDITION_TYPES; returns its name. Raises ValueError if it is there already."""
    if name in CONDITION_TYPES:
        raise ValueError(f"condition type {name} is declared twice")
    CONDITION_TYPES[name] = ConditionType(name, meaning, blocks_ready)
    return name


def declare_reason(name: str, *types: str, meaning: str, remedy: str = "", stalls: bool = False) -> str:
    """Add a reason that appears under `types` to REASONS; returns its name. Raises ValueError if it is there."""
    if name in REASONS:
        raise ValueError(f"reason {name} is declared twice")
    REASONS[name] = ConditionReason(name, types, meaning, remedy, stalls)
    return name
