"""Condition types and reasons with their meanings: the source of docs/reference/conditions.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class ConditionType:
    name: str
    meaning: str
    """What the status True says."""
    blocks_ready: bool
    """Whether Ready is False while this condition is False or Unknown."""


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
"""By name; filled by conditions.py alone. external_reasons.py adds what other programs report."""


def condition_type(name: str, meaning: str, *, blocks_ready: bool = False) -> str:
    """Register a condition type; returns its name. Raises ValueError if the name is registered already."""
    if name in CONDITION_TYPES:
        raise ValueError(f"condition type {name} is registered twice")
    CONDITION_TYPES[name] = ConditionType(name, meaning, blocks_ready)
    return name


def reason(name: str, *types: str, meaning: str, remedy: str = "", stalls: bool = False) -> str:
    """Register a reason that appears under `types`; returns its name. Raises ValueError if it is registered already."""
    if name in REASONS:
        raise ValueError(f"reason {name} is registered twice")
    REASONS[name] = ConditionReason(name, types, meaning, remedy, stalls)
    return name
