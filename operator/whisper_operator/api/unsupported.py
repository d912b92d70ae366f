"""The parts of the spec that this version does not implement: refused by name, never silently ignored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from whisper_operator.api.v1alpha1 import Spec

UnsupportedPart = tuple[str, Callable[[Spec], object]]
"""Its path, and a function that returns whether a spec sets it."""

UNSUPPORTED: Sequence[UnsupportedPart] = ()
"""Add one with its field, and remove it to release it: now there is none."""


def unsupported(spec: Spec) -> list[str]:
    """Paths of the unimplemented parts that `spec` sets."""
    return [path for path, is_set in UNSUPPORTED if is_set(spec)]
