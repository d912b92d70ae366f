"""What a registry of metrics has."""

from __future__ import annotations

from prometheus_client import CollectorRegistry


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """The sample of that name and these labels; an AssertionError, where there is none."""
    found = registry.get_sample_value(name, labels)
    assert found is not None, f"{name}{labels} is not there"
    return found
