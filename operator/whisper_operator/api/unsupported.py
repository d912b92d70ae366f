"""Which parts of the spec this version does not implement yet: refused by name, never silently ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api.v1alpha1 import Spec

UNSUPPORTED: Final[tuple[tuple[str, Callable[[Spec], object]], ...]] = (
    ("spec.jobs", lambda spec: spec.jobs),
    ("spec.resultCache", lambda spec: spec.result_cache),
    ("spec.redis", lambda spec: spec.redis),
)
"""Path of each part, and whether a spec asks for it; what comes to be implemented leaves this list."""


def unsupported(spec: Spec) -> list[str]:
    """Paths that `spec` asks for and that nothing here fulfils."""
    return [path for path, asked_for in UNSUPPORTED if asked_for(spec)]
