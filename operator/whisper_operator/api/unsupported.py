"""The parts of the spec that this version does not implement: refused by name, never silently ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api.v1alpha1 import Spec

UNSUPPORTED: Final[tuple[tuple[str, Callable[[Spec], object]], ...]] = ()
"""Path of each part, and a function that returns whether a spec sets it. Remove a part here to release it."""


def unsupported(spec: Spec) -> list[str]:
    """Paths of the unimplemented parts that `spec` sets."""
    return [path for path, is_set in UNSUPPORTED if is_set(spec)]
