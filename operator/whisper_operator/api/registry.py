"""Declarations of condition types and reasons; docs/reference/conditions.md is generated from them."""

from __future__ import annotations

from dataclasses import dataclass


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


def declare_type(into: dict[str, ConditionType], name: str, meaning: str, *, blocks_ready: bool = False) -> str:
    """Add a condition type to `into`; returns its name. Raises ValueError if it is there already."""
    if name in into:
        raise ValueError(f"condition type {name} is declared twice")
    into[name] = ConditionType(name, meaning, blocks_ready)
    return name


def declare_reason(
    into: dict[str, ConditionReason], name: str, *types: str, meaning: str, remedy: str = "", stalls: bool = False
) -> str:
    """Add a reason that appears under `types` to `into`; returns its name. Raises ValueError if it is there already."""
    if name in into:
        raise ValueError(f"reason {name} is declared twice")
    into[name] = ConditionReason(name, types, meaning, remedy, stalls)
    return name
