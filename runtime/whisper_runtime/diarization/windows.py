"""The windows of a recording whose voices are compared; pure."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from whisper_runtime.engine.speech.spans import Span

LENGTH_SECONDS: Final = 1.6
"""What the network was trained on."""
STEP_SECONDS: Final = 0.4
"""From one window to the next one at most."""


def windows_of(span: Span) -> list[Span]:
    """The windows of one span of speech, evenly apart and STEP_SECONDS at most, from its start to its end; a short
    span is one short window."""
    length = span.end - span.start
    if length <= LENGTH_SECONDS:
        return [span]
    count = 1 + math.ceil((length - LENGTH_SECONDS) / STEP_SECONDS - 1e-9)
    starts = np.linspace(span.start, span.end - LENGTH_SECONDS, count).tolist()
    return [Span(start, start + LENGTH_SECONDS) for start in starts]
