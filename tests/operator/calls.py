"""Counts calls without patching anything."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def counting(*functions: Callable[..., Any]) -> Iterator[Counter[str]]:
    """The calls of each of `functions`, by its name, that this thread makes; of Python's and of C's."""
    names = {getattr(function, "__code__", function): function.__name__ for function in functions}
    calls: Counter[str] = Counter(dict.fromkeys(names.values(), 0))

    def count(frame: FrameType, event: str, arg: Any) -> None:
        called = frame.f_code if event == "call" else arg if event == "c_call" else None
        if called in names:
            calls[names[called]] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)
