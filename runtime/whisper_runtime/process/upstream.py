"""Imports openai-whisper, and with it torch, without what no request of this program needs: see ADR 22 and ADR 24.

- numba, by which two functions of whisper/timing.py are compiled while it is imported: a second, and some 80 MiB for
  good. This program calls neither: time_warping.py has their place, and imports numba with the first request for words.
- where there is no GPU: NVIDIA's libraries, and what torch registers for tensors without data, which its compiler uses:
  a seventh of the time that `import torch` takes, and 20 MiB. And NVIDIA's bindings for Python, 11 MiB: torch does
  without them where they are not installed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from whisper_runtime.process import gpu_stand_ins

REGISTRATIONS: Final = "torch._meta_registrations"
BINDINGS: Final = "cuda"
USED_OF_THEM: Final = "torch._prims.rng_prims"
"""What they import, and torch.Generator does not work without."""


class _NumbaStandIn(ModuleType):
    """As much of numba as whisper/timing.py uses while it is imported; what it decorates is not compiled."""

    @staticmethod
    def jit(**_options: Any) -> Callable[[Any], Any]:
        return lambda function: function


def import_upstream(stand_ins: Path = gpu_stand_ins.BESIDE_TORCH) -> None:
    """Import the package `whisper`; call it before anything else does.

    `stand_ins`: the directory that `gpu_stand_ins.build` wrote; the real libraries are loaded where it is not there.
    """
    replaced: dict[str, ModuleType | None] = {"numba": _NumbaStandIn("numba")}
    with ExitStack() as stack:
        if "torch" not in sys.modules and gpu_stand_ins.gpu_is_out_of_reach():
            stack.enter_context(gpu_stand_ins.in_front(stand_ins))
            replaced |= {REGISTRATIONS: ModuleType(REGISTRATIONS), BINDINGS: None}
        stack.enter_context(_replaced(replaced))
        importlib.import_module("whisper")
    importlib.import_module(USED_OF_THEM)


@contextmanager
def _replaced(modules: Mapping[str, ModuleType | None]) -> Generator[None]:
    """Let imports find these modules in the place of those that are not imported yet; take them away afterwards.

    None: an import fails, as where the module is not installed.
    """
    missing = {name: module for name, module in modules.items() if name not in sys.modules}
    found = cast(dict[str, ModuleType | None], sys.modules)
    found.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del found[name]
