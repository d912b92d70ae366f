"""The log of the process, as requests write it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from whisper_runtime import logs


@pytest.fixture
def stream(root_logger: None) -> Iterator[io.StringIO]:
    """The log of the process."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    logging.getLogger("httpx").propagate = False  # the test's own client
    yield stream
    logging.getLogger("httpx").propagate = True
