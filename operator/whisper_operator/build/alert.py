"""What an alert of a service is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ERROR_SHARE: Final = 0.05
FEW: Final = 2
"""As many failures in a window may be chance, however large their share."""


@dataclass(frozen=True)
class Alert:
    name: str
    severity: str
    lasting: str
    """Duration for which the expression has to hold before the alert fires."""
    expression: str
    summary: str
    description: str
