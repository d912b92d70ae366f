"""Whether a device may be one that CEL expressions select: pure.

Drivers' classes compare the driver and attributes with constants, joined by `&&`: so much is judged here. Whatever else
an expression says counts as true, so that a device too many is counted and never one too few: a surge that finds no
room after all becomes a replacement (docs/explanation/rollouts.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from whisper_operator.observe.devices import DriverDevice

_LITERAL: Final = r"""(?P<value>"[^"\\]*"|'[^'\\]*'|true|false|-?\d+)"""
DRIVER: Final = re.compile(rf"\s*device\.driver\s*==\s*{_LITERAL}\s*")
ATTRIBUTE: Final = re.compile(
    rf"""\s*device\.attributes\[(?P<quote>["'])(?P<domain>[^"']+)(?P=quote)\]\.(?P<name>\w+)\s*==\s*{_LITERAL}\s*"""
)


def may_select(expressions: Iterable[str], device: DriverDevice) -> bool:
    """Whether no part of the expressions that is understood is false of the device."""
    return all(_may_be_true(part, device) for expression in expressions for part in _conjuncts(expression))


def _may_be_true(part: str, device: DriverDevice) -> bool:
    if found := DRIVER.fullmatch(part):
        return device.id.driver == _constant(found["value"])
    if found := ATTRIBUTE.fullmatch(part):
        # Of an attribute that is absent, an expression is an error, and the device is not selected.
        return device.attributes.get(f"{found['domain']}/{found['name']}") == _constant(found["value"])
    return True


def _constant(literal: str) -> str | int | bool:
    if literal in ("true", "false"):
        return literal == "true"
    return literal[1:-1] if literal[0] in "\"'" else int(literal)


def _conjuncts(expression: str) -> Iterator[str]:
    """The parts of an expression that all have to be true; the whole of one that is no plain conjunction."""
    if "||" in expression or "?" in expression:
        yield expression
        return
    depth, start = 0, 0
    for at, character in enumerate(expression):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and expression.startswith("&&", at):
            yield expression[start:at]
            start = at + 2
    yield expression[start:]
