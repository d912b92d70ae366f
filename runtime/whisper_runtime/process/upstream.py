"""Imports openai-whisper without numba, which its package imports and compiles by: a second, and some 80 MiB for good.

Two functions of whisper/timing.py are decorated by it. This program calls neither: time_warping.py has their place, and
imports numba with the first request for words.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class _NumbaStandIn(ModuleType):
    """As much of numba as whisper/timing.py uses while it is imported; what it decorates is not compiled."""

    @staticmethod
    def jit(**_options: Any) -> Callable[[Any], Any]:
        return lambda function: function


def import_upstream() -> None:
    """Import the package `whisper`; call it before anything else does."""
    if "numba" in sys.modules:
        importlib.import_module("whisper")
        return
    sys.modules["numba"] = _NumbaStandIn("numba")
    try:
        importlib.import_module("whisper")
    finally:
        del sys.modules["numba"]
