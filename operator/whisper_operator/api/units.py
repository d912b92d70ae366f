"""Durations, sizes and quantities: their syntax, their values, and their canonical forms."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

DURATION_PATTERN: Final = r"^([0-9]{1,6}[hms])+$"
MAX_DURATION_SECONDS: Final = 720 * 3600
QUANTITY_PATTERN: Final = r"^([0-9]{1,15}m|[0-9]{1,15}(\.[0-9]{1,3})?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?)$"
"""A Kubernetes quantity, without signs and exponents, which nobody writes, and no finer than a thousandth."""
SIZE_PATTERN: Final = r"^[0-9]{1,15}(\.[0-9]{1,3})?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
BEYOND: Final = 1024**6
"""1Ei. Kubernetes caps a larger amount at 2^63 - 1, so the amount that was applied would never be read back."""
REMEMBERED: Final = 1024
"""Texts whose values are kept: the same few stand in every service, and a pass reads each many times."""

_SECONDS: Final = {"h": 3600, "m": 60, "s": 1}
_BINARY: Final = {"Pi": 1024**5, "Ti": 1024**4, "Gi": 1024**3, "Mi": 1024**2, "Ki": 1024}
_DECIMAL: Final = {
    "P": Decimal(10) ** 15,
    "T": Decimal(10) ** 12,
    "G": Decimal(10) ** 9,
    "M": Decimal(10) ** 6,
    "k": Decimal(10) ** 3,
    "": Decimal(1),
    "m": Decimal("0.001"),
}


@lru_cache(REMEMBERED, typed=True)
def duration_seconds(text: str) -> int:
    """Seconds of a duration such as `30s`, `10m` or `1h30m`; raises ValueError."""
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is not a valid duration; for example 30s, 10m or 1h30m")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([hms])", text))
    if not 1 <= seconds <= MAX_DURATION_SECONDS:
        raise ValueError(f"{text!r} is out of bounds: write a duration from 1s to 720h")
    return seconds


def canonical_duration(seconds: int) -> str:
    """The duration as the Gateway API (GEP-2257) and Prometheus read it: each unit once, the largest first."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return "".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if count)


@lru_cache(REMEMBERED, typed=True)
def quantity(value: str | int) -> Decimal:
    """Value of a quantity that a user wrote, in its base unit (bytes, processors); raises ValueError."""
    text = str(value)
    if not re.fullmatch(QUANTITY_PATTERN, text):
        raise ValueError(f"{text!r} is not a valid quantity; for example 250m, 2, 512Mi or 10Gi")
    number, suffix = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text).groups()  # type: ignore[union-attr]
    found = Decimal(number) * (_BINARY.get(suffix) or _DECIMAL[suffix])
    if found >= BEYOND:
        raise ValueError(f"{text!r} is too large: write less than 1Ei")
    return found


@lru_cache(REMEMBERED, typed=True)
def any_quantity(value: str | int | float) -> Decimal:
    """Value of a quantity that the API server wrote, with exponents and signs; raises ValueError."""
    text = str(value)
    found = re.fullmatch(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([A-Za-z]*))", text)
    if not found:
        raise ValueError(f"{text!r} is not a quantity")
    number, exponent, suffix = found.groups()
    if exponent:
        return Decimal(number + exponent)
    small = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "E": Decimal(10) ** 18, "Ei": Decimal(1024**6)}
    return Decimal(number) * (_BINARY.get(suffix) or small.get(suffix) or _DECIMAL[suffix])


@lru_cache(REMEMBERED, typed=True)
def size_bytes(text: str) -> int:
    """Bytes of a size such as `100Mi`, rounded up; raises ValueError."""
    if not re.fullmatch(SIZE_PATTERN, text) or (size := quantity(text)) < 1:
        raise ValueError(f"{text!r} is not a valid size; for example 512Ki, 100Mi or 10Gi")
    return math.ceil(size)


@lru_cache(REMEMBERED, typed=True)
def canonical_quantity(value: str | int) -> str:
    """The quantity as the API server stores it, so that a live object equals the applied one; raises ValueError.

    Source: apimachinery's `Quantity.CanonicalizeBytes`: no fraction, the largest suffix that keeps the number whole.
    """
    amount, binary = quantity(value), str(value).endswith("i")
    if amount == 0:
        return "0"
    if binary and amount % 1 == 0 and amount >= 1024:
        return next(
            f"{int(amount // unit)}{suffix}" for suffix, unit in [*_BINARY.items(), ("", 1)] if amount % unit == 0
        )
    return next(f"{int(amount / unit)}{suffix}" for suffix, unit in _DECIMAL.items() if amount % unit == 0)
