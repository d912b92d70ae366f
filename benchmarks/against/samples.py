"""The samples of one quantity in both builds, and their ratio."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class BuildSamples:
    quantity: str
    """With its unit."""
    higher_is_better: bool = False
    by_build: dict[str, list[float]] = field(default_factory=lambda: {"before": list[float](), "now": list[float]()})

    def add(self, build: str, value: float) -> None:
        """Adds a measurement of `before` or of `now`."""
        self.by_build[build].append(value)

    @property
    def ratio(self) -> float:
        """The median of now by the median of before."""
        return statistics.median(self.by_build["now"]) / statistics.median(self.by_build["before"])

    def shown(self, build: str) -> str:
        """The median of `before` or of `now`, with the spread."""
        values = self.by_build[build]
        spread = f" ({min(values):.3g} to {max(values):.3g})" if len(values) > 1 else ""
        return f"{statistics.median(values):.3g}{spread}"
