"""What the processor that the tests run on can compute."""

from __future__ import annotations

from typing import Final

from whisper_runtime.engine.model.precision import Precision, cpu_has_bfloat16

PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "bfloat16") if cpu_has_bfloat16() else ("float32",)
"""Those that it multiplies in; a model is not loaded in another one, which tests of that show on every processor."""
